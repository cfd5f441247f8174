import { fireEvent, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { dropShortcut, holdShortcut, useShortcut } from "./shortcut";

afterEach(dropShortcut);

function Listener({ run }: { run: () => void }) {
  useShortcut("mod+k", run);
  return null;
}

/** Whether the browser keeps the key for itself. */
const press = () => fireEvent.keyDown(document.body, { key: "k", ctrlKey: true });

test("a press before anybody listens is kept for who comes, once", () => {
  holdShortcut("mod+k");
  expect(press()).toBe(false);
  const run = vi.fn();
  const { unmount } = render(<Listener run={run} />);
  expect(run).toHaveBeenCalledOnce();
  press();
  expect(run).toHaveBeenCalledTimes(2);
  unmount();
  expect(press()).toBe(true);
});

test("without a press nothing runs", () => {
  holdShortcut("mod+k");
  const run = vi.fn();
  render(<Listener run={run} />);
  expect(run).not.toHaveBeenCalled();
});

test("a page that does not listen gives the key back, and the press is forgotten", () => {
  holdShortcut("mod+k");
  press();
  dropShortcut();
  expect(press()).toBe(true);
  const run = vi.fn();
  render(<Listener run={run} />);
  expect(run).not.toHaveBeenCalled();
});
