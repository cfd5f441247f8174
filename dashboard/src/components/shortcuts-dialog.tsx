import { Dialog } from "../ui/dialog";
import { Kbd } from "../ui/kbd";
import { isMac } from "../ui/shortcut";

const shortcuts = [
  { keys: [isMac ? "⌘" : "Ctrl", "K"], what: "Go to a page or an app, or do something" },
  { keys: ["/"], what: "Filter the list" },
  { keys: ["C"], what: "Create an app, from the list of apps" },
  { keys: ["P"], what: "Pause or resume live events" },
  { keys: ["?"], what: "Show these shortcuts" },
  { keys: ["Esc"], what: "Close what is open" },
];

export function ShortcutsDialog({
  open,
  onOpenChange,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts">
      <ul className="flex flex-col text-13">
        {shortcuts.map(({ keys, what }) => (
          <li
            key={what}
            className="flex h-10 items-center justify-between gap-4 border-line not-last:border-b"
          >
            <span>{what}</span>
            <span className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
