import { type Session, useRevokeOtherSessions, useRevokeSession, useSessions } from "../api/profile";
import { toDate } from "../api/time";
import { AccountPage } from "../components/account-nav";
import { Ago } from "../components/ago";
import { browserName } from "../components/browser-name";
import { Name } from "../components/name";
import { LoadProblem } from "../components/problem";
import { useProblemToast } from "../components/use-problem-toast";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { useToast } from "../ui/toast";

export function SessionsPage() {
  const { sessions, error, refetch, isFetching } = useSessions();
  return (
    <AccountPage
      title="Sessions"
      description="Where you are logged in. A session ends after twelve hours without use, and after seven days in any case."
      actions={sessions && <EndOthers others={sessions.length - 1} />}
    >
      {sessions === undefined && error && (
        <LoadProblem what="your sessions" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {sessions === undefined && !error && <SessionsSkeleton />}
      {sessions && (
        <Table label="Sessions" className="table-fixed">
          <SessionsHead />
          <tbody>
            {sessions.map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </tbody>
        </Table>
      )}
    </AccountPage>
  );
}

function EndOthers({ others }: { others: number }) {
  const end = useRevokeOtherSessions();
  const toast = useToast();
  const tellProblem = useProblemToast();
  function run() {
    end.mutate(
      {},
      {
        onSuccess: ({ ended }) =>
          toast({ tone: "ok", title: "Other sessions ended", detail: `${ended} of them` }),
        onError: (error) => tellProblem("The sessions have not ended", error),
      },
    );
  }
  return (
    <Button busy={end.isPending} reason={others > 0 ? undefined : "This is your only session."} onClick={run}>
      End all others
    </Button>
  );
}

function SessionRow({ session }: { session: Session }) {
  const end = useRevokeSession();
  const toast = useToast();
  const tellProblem = useProblemToast();
  const name = browserName(session.userAgent);
  function run() {
    end.mutate(
      { sessionId: session.id },
      {
        onSuccess: () => toast({ tone: "ok", title: "Session ended", detail: name }),
        onError: (error) => tellProblem("The session has not ended", error),
      },
    );
  }
  return (
    <Row>
      <Td>
        <span className="flex min-w-0 items-center gap-x-2 max-sm:flex-wrap" title={session.userAgent}>
          <Name className="font-medium">{name}</Name>
          {session.current && <Badge tone="accent">This one</Badge>}
        </span>
      </Td>
      <Td className="truncate">
        <code className="text-12">{session.ip}</code>
      </Td>
      <Td className="text-muted max-lg:hidden">
        <Name>{session.tenantName}</Name>
      </Td>
      <Td className="text-muted max-md:hidden">
        {session.createTime && <Ago date={toDate(session.createTime)} />}
      </Td>
      <Td className="text-muted max-sm:hidden">
        {session.lastSeenTime && <Ago date={toDate(session.lastSeenTime)} />}
      </Td>
      <Td className="px-1 text-right">
        {!session.current && (
          <Button
            size="sm"
            variant="ghost"
            busy={end.isPending}
            onClick={run}
            aria-label={`End the session of ${name} at ${session.ip}`}
          >
            End
          </Button>
        )}
      </Td>
    </Row>
  );
}

function SessionsHead() {
  return (
    <Head>
      <Th>Browser</Th>
      <Th className="w-36 max-sm:w-28">Address</Th>
      <Th className="w-48 max-lg:hidden">Tenant</Th>
      <Th className="w-36 max-md:hidden">Logged in</Th>
      <Th className="w-36 max-sm:hidden">Last used</Th>
      <Th className="w-20 px-1">
        <span className="sr-only">Actions</span>
      </Th>
    </Head>
  );
}

function SessionsSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading sessions
      </p>
      <div aria-hidden>
        <Table label="Loading" className="table-fixed">
          <SessionsHead />
          <tbody>
            {["w-36", "w-32"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={`${width} max-w-full`} />
                </Td>
                <Td>
                  <Skeleton className="w-20" />
                </Td>
                <Td className="max-lg:hidden">
                  <Skeleton className="w-24" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td className="max-sm:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td />
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
