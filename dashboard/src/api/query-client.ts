import { QueryClient } from "@tanstack/react-query";
import { isPassing } from "./errors";

/** Pages paint from this cache at once and refresh behind. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // The loader of a route asks again; a component that finds a failed answer shows it and offers to retry.
        retryOnMount: false,
        gcTime: 10 * 60_000,
        retry: (count, error) => count < 2 && isPassing(error),
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4000),
      },
    },
  });
}
