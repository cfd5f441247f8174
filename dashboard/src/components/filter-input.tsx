import { Search } from "lucide-react";
import { useRef } from "react";
import { Input } from "../ui/field";
import { Kbd } from "../ui/kbd";
import { useShortcut } from "../ui/shortcut";

/** Narrows a list while typing. Slash goes there, Escape clears it. */
export function FilterInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  useShortcut("/", () => input.current?.select());
  return (
    <div className="relative w-full sm:max-w-xs">
      <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" />
      <Input
        ref={input}
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          onChange("");
          event.currentTarget.blur();
        }}
        className="peer pr-9 pl-9 [&::-webkit-search-cancel-button]:hidden"
      />
      <span className="pointer-events-none absolute top-2 right-2 hidden peer-focus:hidden sm:block">
        <Kbd>/</Kbd>
      </span>
    </div>
  );
}
