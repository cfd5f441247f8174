import { Monitor, Moon, Sun } from "lucide-react";
import { IconButton } from "../ui/icon-button";
import { Menu, MenuChoice } from "../ui/menu";
import { setTheme, type ThemeChoice, useTheme } from "../ui/theme";

export const themes = [
  { value: "system", label: "Same as system", icon: <Monitor aria-hidden className="size-4" /> },
  { value: "light", label: "Light", icon: <Sun aria-hidden className="size-4" /> },
  { value: "dark", label: "Dark", icon: <Moon aria-hidden className="size-4" /> },
] as const satisfies { value: ThemeChoice; label: string; icon: unknown }[];

export function ThemeMenu() {
  const theme = useTheme();
  const icon = themes.find((choice) => choice.value === theme)?.icon;
  return (
    <Menu align="end" trigger={<IconButton plain label="Theme" title="Theme" icon={icon} />}>
      <MenuChoice value={theme} choices={themes} onChange={setTheme} />
    </Menu>
  );
}
