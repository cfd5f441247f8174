import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { AlertDialog } from "./alert-dialog";
import { TooltipProvider } from "./tooltip";

test("what destroys wants the name typed", async () => {
  const confirm = vi.fn();
  render(
    <TooltipProvider>
      <AlertDialog
        open
        onOpenChange={() => {}}
        title="Delete it?"
        action="Delete"
        typed="Chat"
        busy={false}
        onConfirm={confirm}
      >
        Gone for good.
      </AlertDialog>
    </TooltipProvider>,
  );
  const input = screen.getByRole("textbox", { name: "Type Chat to confirm" });
  await userEvent.type(input, "Cha{Enter}");
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  expect(confirm).not.toHaveBeenCalled();
  await userEvent.type(input, "t{Enter}");
  expect(confirm).toHaveBeenCalledOnce();
});
