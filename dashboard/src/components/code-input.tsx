import type { ComponentProps } from "react";
import { Input } from "../ui/field";

/** For a code of an authenticator app: phones then offer the right keys, and the code itself. */
export function CodeInput(props: Omit<ComponentProps<"input">, "type">) {
  return (
    <Input
      autoCapitalize="off"
      autoCorrect="off"
      spellCheck={false}
      {...props}
      autoComplete="one-time-code"
      className="font-mono"
    />
  );
}
