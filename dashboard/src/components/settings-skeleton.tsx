import { Skeleton } from "../ui/skeleton";

/** The shape of the cards of settings: a heading, a line, rows. */
export function SettingsSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading settings
      </p>
      {["features", "origins", "rules", "limits"].map((card) => (
        <div key={card} className="flex flex-col gap-5 rounded-lg border border-line p-5">
          <div>
            <Skeleton className="h-5 w-32" />
            <Skeleton className="mt-2 w-80 max-w-full" />
          </div>
          {["one", "two", "three"].map((row) => (
            <div key={row} className="flex items-center justify-between gap-6">
              <Skeleton className="w-1/2" />
              <Skeleton className="h-5 w-9 rounded-full" />
            </div>
          ))}
        </div>
      ))}
    </>
  );
}
