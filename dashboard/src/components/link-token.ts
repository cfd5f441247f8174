import { useLocation } from "@tanstack/react-router";

/** The token of a link in a mail. It stands behind the #, so that it reaches no log and no other site. */
export function useLinkToken(): string {
  return useLocation().hash.replace(/^#/, "");
}
