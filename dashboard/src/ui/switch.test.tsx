import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import { SwitchField } from "./switch";
import { TooltipProvider } from "./tooltip";

function Specimen() {
  const [on, setOn] = useState(false);
  return <SwitchField label="Sound" hint="Plays one." checked={on} onChange={setOn} />;
}

test("a press on the switch, on its label and on the space bar turn it", async () => {
  render(<Specimen />);
  const control = screen.getByRole("switch", { name: "Sound" });
  expect(control).toHaveAccessibleDescription("Plays one.");
  expect(control).not.toBeChecked();
  await userEvent.click(control);
  expect(control).toBeChecked();
  await userEvent.click(screen.getByText("Sound"));
  expect(control).not.toBeChecked();
  control.focus();
  await userEvent.keyboard(" ");
  expect(control).toBeChecked();
});

test("one that may not be turned says why, and stays in reach of the keyboard", async () => {
  const turn = vi.fn();
  render(
    <TooltipProvider>
      <SwitchField label="Sound" hint="Plays one." checked onChange={turn} reason="Not yours." />
    </TooltipProvider>,
  );
  const control = screen.getByRole("switch", { name: "Sound" });
  expect(control).toHaveAccessibleDescription("Plays one. Not yours.");
  expect(control).toHaveAttribute("aria-disabled", "true");
  await userEvent.tab();
  expect(control).toHaveFocus();
  expect(await screen.findByRole("tooltip")).toHaveTextContent("Not yours.");
  await userEvent.keyboard(" ");
  await userEvent.click(screen.getByText("Sound"));
  expect(turn).not.toHaveBeenCalled();
});
