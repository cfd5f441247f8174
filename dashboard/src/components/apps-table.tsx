import { Link } from "@tanstack/react-router";
import type { App } from "../api/apps";
import { toDate } from "../api/time";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { Ago } from "./ago";
import { AppState } from "./app-state";
import { Name } from "./name";

export function AppsTable({ apps }: { apps: App[] }) {
  return (
    <Table label="Apps" className="table-fixed">
      <AppsHead />
      <tbody>
        {apps.map((app) => (
          <Row key={app.id} className="relative">
            <Td>
              {/* The link covers its whole row. */}
              <Link
                to="/apps/$appId/start"
                params={{ appId: app.id }}
                className="-outline-offset-2 font-medium after:absolute after:inset-0"
              >
                <Name>{app.name}</Name>
              </Link>
            </Td>
            <Td className="max-sm:hidden">
              <code className="text-12 text-muted">{app.id}</code>
            </Td>
            <Td>
              <AppState app={app} />
            </Td>
            <Td className="text-muted max-md:hidden">
              <span className="relative">{app.createTime && <Ago date={toDate(app.createTime)} />}</span>
            </Td>
          </Row>
        ))}
      </tbody>
    </Table>
  );
}

function AppsHead() {
  return (
    <Head>
      <Th>Name</Th>
      <Th className="w-48 max-sm:hidden">App id</Th>
      <Th className="w-28">Status</Th>
      <Th className="w-40 max-md:hidden">Created</Th>
    </Head>
  );
}

export function AppsTableSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading apps
      </p>
      <div aria-hidden>
        <Table label="Loading" className="table-fixed">
          <AppsHead />
          <tbody>
            {["w-40", "w-28", "w-48"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={width} />
                </Td>
                <Td className="max-sm:hidden">
                  <Skeleton className="w-24" />
                </Td>
                <Td>
                  <Skeleton className="w-16" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-20" />
                </Td>
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
