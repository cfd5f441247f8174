import { Skeleton } from "../ui/skeleton";

/** The shape of a page: heading, a line below it, a block. */
export function PageSkeleton({ what }: { what: string }) {
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-6 sm:px-8 sm:py-8">
      <p role="status" className="sr-only">
        Loading {what}
      </p>
      <Skeleton className="h-6 w-40" />
      <Skeleton className="mt-3 w-72 max-w-full" />
      <Skeleton className="mt-8 h-64 rounded-lg" />
    </div>
  );
}
