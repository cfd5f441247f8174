import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Button } from "./button";
import { TooltipProvider } from "./tooltip";

test("a button with a reason stays in reach, says why, and does nothing", async () => {
  const click = vi.fn();
  const submit = vi.fn();
  render(
    <TooltipProvider>
      <form onSubmit={submit}>
        <Button type="submit" reason="Your role does not allow this." onClick={click}>
          Save
        </Button>
      </form>
    </TooltipProvider>,
  );
  const button = screen.getByRole("button", { name: "Save" });
  expect(button).toHaveAccessibleDescription("Your role does not allow this.");
  await userEvent.tab();
  expect(button).toHaveFocus();
  await userEvent.click(button);
  await userEvent.keyboard("{Enter}");
  expect(click).not.toHaveBeenCalled();
  expect(submit).not.toHaveBeenCalled();
});

test("a busy button ignores further clicks", async () => {
  const click = vi.fn();
  render(
    <Button busy onClick={click}>
      Save
    </Button>,
  );
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(click).not.toHaveBeenCalled();
});

test("a button that gets a reason keeps the focus", async () => {
  const button = (reason?: string) => (
    <TooltipProvider>
      <Button reason={reason}>Save</Button>
    </TooltipProvider>
  );
  const { rerender } = render(button());
  await userEvent.tab();
  rerender(button("Nothing has changed."));
  expect(screen.getByRole("button", { name: "Save" })).toHaveFocus();
});
