import { useState } from "react";
import { useDisableSecondFactor, useRegenerateRecoveryCodes, useSecondFactor } from "../api/second-factor";
import { toDate } from "../api/time";
import { AccountPage } from "../components/account-nav";
import { Ago } from "../components/ago";
import { EnrolSecondFactor } from "../components/enrol-second-factor";
import { LoadProblem } from "../components/problem";
import { ProveSecondFactor } from "../components/prove-second-factor";
import { RecoveryCodes } from "../components/recovery-codes";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Skeleton } from "../ui/skeleton";
import { useToast } from "../ui/toast";

export function TwoFactorPage() {
  const { factor, error, refetch, isFetching } = useSecondFactor();
  const [codes, setCodes] = useState<string[]>();
  return (
    <AccountPage
      title="Two-factor login"
      description="With it, your password alone lets nobody in: a code of an authenticator app is asked for as well."
      narrow
    >
      {factor === undefined && error && (
        <LoadProblem
          what="your second factor"
          error={error}
          onRetry={() => void refetch()}
          busy={isFetching}
        />
      )}
      {factor === undefined && !error && (
        <div
          role="status"
          aria-label="Loading"
          className="flex flex-col gap-4 rounded-lg border border-line p-5"
        >
          <Skeleton className="h-5 w-40" />
          <Skeleton className="w-80 max-w-full" />
          <Skeleton className="h-9 w-full" />
        </div>
      )}
      {codes ? (
        <Card title="Your recovery codes">
          <RecoveryCodes codes={codes} onDone={() => setCodes(undefined)} />
        </Card>
      ) : factor?.enabled ? (
        <Enabled
          since={factor.enableTime && toDate(factor.enableTime)}
          left={factor.recoveryCodesLeft}
          onCodes={setCodes}
        />
      ) : (
        factor && <EnrolSecondFactor onCodes={setCodes} />
      )}
    </AccountPage>
  );
}

function Enabled({
  since,
  left,
  onCodes,
}: {
  since: Date | undefined;
  left: number;
  onCodes: (codes: string[]) => void;
}) {
  const [asking, setAsking] = useState<"off" | "codes">();
  const disable = useDisableSecondFactor();
  const regenerate = useRegenerateRecoveryCodes();
  const toast = useToast();
  return (
    <>
      <Card
        title="It is on"
        description={<>Since {since && <Ago date={since} />}.</>}
        footer={
          <>
            <Button size="sm" onClick={() => setAsking("codes")}>
              Make other recovery codes
            </Button>
            <Button size="sm" variant="danger" onClick={() => setAsking("off")}>
              Turn off
            </Button>
          </>
        }
      >
        <p className="flex items-center gap-2 text-13">
          Recovery codes left
          <Badge tone={left > 3 ? "ok" : "warn"}>{left} of 10</Badge>
        </p>
      </Card>
      <ProveSecondFactor
        open={asking === "codes"}
        title="Make other recovery codes?"
        action="Make other codes"
        onClose={() => setAsking(undefined)}
        onProof={async (proof) => {
          const { recoveryCodes } = await regenerate.mutateAsync(proof);
          setAsking(undefined);
          onCodes(recoveryCodes);
        }}
      />
      <ProveSecondFactor
        open={asking === "off"}
        title="Turn two-factor login off?"
        action="Turn off"
        danger
        onClose={() => setAsking(undefined)}
        onProof={async (proof) => {
          await disable.mutateAsync(proof);
          toast({ tone: "ok", title: "Two-factor login is off" });
        }}
      />
    </>
  );
}
