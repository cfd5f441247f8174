import { Missing } from "../components/missing";

export function NotFoundPage() {
  return <Missing title="No such page">The address leads nowhere. Check it for typing mistakes.</Missing>;
}
