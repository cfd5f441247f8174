import { Link } from "@tanstack/react-router";
import { SearchX } from "lucide-react";
import type { ReactNode } from "react";
import { buttonClass } from "../ui/button";
import { Empty } from "../ui/empty";
import { useTitle } from "./page";

/** In place of a page that does not exist. */
export function Missing({
  title,
  back = { to: "/apps", label: "Go to apps" },
  children,
}: {
  title: string;
  back?: { to: "/apps" | "/platform/tenants" | "/platform/plans"; label: string };
  children: ReactNode;
}) {
  useTitle(title);
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-6 sm:px-8 sm:py-8">
      <h1 className="sr-only">{title}</h1>
      <Empty
        icon={<SearchX aria-hidden className="size-5" />}
        title={title}
        action={
          <Link to={back.to} className={buttonClass()}>
            {back.label}
          </Link>
        }
      >
        {children}
      </Empty>
    </div>
  );
}
