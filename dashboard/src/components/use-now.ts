import { useEffect, useState } from "react";

/** The time, which goes on in steps. */
export function useNow(stepMs: number): number {
  const [now, setNow] = useState(() => Math.floor(Date.now() / stepMs) * stepMs);
  useEffect(() => {
    const timer = setInterval(
      () => setNow(Math.floor(Date.now() / stepMs) * stepMs),
      Math.min(stepMs, 15_000),
    );
    return () => clearInterval(timer);
  }, [stepMs]);
  return now;
}
