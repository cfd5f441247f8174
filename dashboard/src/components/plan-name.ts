import type { Plan } from "../api/plans";

/** What a plan is called, as far as that is known yet: else its id. */
export function planName(id: string, plans: readonly Plan[] | undefined): string {
  return plans?.find((plan) => plan.id === id)?.name ?? id;
}
