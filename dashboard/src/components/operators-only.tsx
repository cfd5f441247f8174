import { Outlet } from "@tanstack/react-router";
import { ShieldX } from "lucide-react";
import { useAccount } from "../api/auth";
import { CodeBlock } from "../ui/code-block";
import { Empty } from "../ui/empty";
import { Page } from "./page";

/** The pages of operators, or for others why there is nothing to see. The server refuses them as well. */
export function OperatorsOnly() {
  const { operator, email } = useAccount();
  if (operator) return <Outlet />;
  return (
    <Page title="Platform">
      <Empty icon={<ShieldX aria-hidden className="size-5" />} title="This is for operators of the platform">
        <p>
          Operators see all tenants and their plans. You are not one, whatever your role is in your own
          tenant. Operators are made on the host of the platform, and nowhere else, with
        </p>
        <div className="mt-4 text-left">
          <CodeBlock title="On the host" language="bash" code={`peal operators create ${email}`} />
        </div>
      </Empty>
    </Page>
  );
}
