import type { TenantsFilter } from "../api/operators";

// What the address of the list of tenants says.

export type TenantsSearch = { q?: string; plan?: string; suspended?: true };

/** The longest text that the server looks for. */
export const longestText = 254;

const text = (value: unknown): string | undefined => {
  // Digits alone are read from the address as a number.
  const read = typeof value === "number" ? String(value) : value;
  return typeof read === "string" && read !== "" ? read : undefined;
};

export function readTenantsSearch(search: Record<string, unknown>): TenantsSearch {
  const q = text(search["q"]);
  const plan = text(search["plan"]);
  return {
    ...(q ? { q: cut(q) } : {}),
    ...(plan && /^[a-z0-9][a-z0-9-]{0,39}$/.test(plan) ? { plan } : {}),
    ...(search["suspended"] === true ? { suspended: true as const } : {}),
  };
}

/** As long as the server takes, counted as the server counts. */
export const cut = (value: string): string => [...value].slice(0, longestText).join("");

export const filterOf = ({ q, plan, suspended }: TenantsSearch): TenantsFilter => ({
  text: q?.trim() ?? "",
  planId: plan ?? "",
  suspendedOnly: suspended ?? false,
});

export const isFiltered = (search: TenantsSearch): boolean => Object.keys(search).length > 0;
