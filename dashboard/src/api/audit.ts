import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useInfiniteQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { type AuditEvent, AuditService } from "../gen/peal/admin/v1/audit_pb";

export type { AuditEvent };

export type AuditFilter = { since?: Date; actor: string; action: string; target: string; text: string };

const { listAuditEvents } = AuditService.method;

const paging = {
  pageParamKey: "pageToken",
  getNextPageParam: (last: { nextPageToken: string }) => last.nextPageToken || undefined,
} as const;

/** The changes that a filter chooses, newest first, as far as they were loaded. */
export function useAuditEvents({ since, ...filter }: AuditFilter, enabled: boolean) {
  const query = useInfiniteQuery(
    listAuditEvents,
    { pageSize: 50, pageToken: "", filter: since ? { ...filter, since: timestampFromDate(since) } : filter },
    { ...paging, enabled, placeholderData: keepPreviousData },
  );
  return { ...query, events: query.data?.pages.flatMap((page) => page.events) };
}

/** The address of the same changes as a file. */
export function auditFile(format: "csv" | "jsonl", { since, ...filter }: AuditFilter): string {
  const query = new URLSearchParams({ format });
  if (since) query.set("since", since.toISOString());
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  return `/api/export/audit?${query}`;
}
