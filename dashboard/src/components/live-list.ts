/** A list that grows at the front, keeps the newest `limit`, and can be held still while more arrives. */
export type LiveList<T> = { limit: number; shown: T[]; held: T[]; missed: number; paused: boolean };

export function emptyList<T>(limit: number): LiveList<T> {
  return { limit, shown: [], held: [], missed: 0, paused: false };
}

export function arrive<T>(list: LiveList<T>, item: T): LiveList<T> {
  if (!list.paused) return { ...list, shown: [item, ...list.shown].slice(0, list.limit) };
  return { ...list, held: [item, ...list.held].slice(0, list.limit), missed: list.missed + 1 };
}

export function setPaused<T>(list: LiveList<T>, paused: boolean): LiveList<T> {
  if (paused === list.paused) return list;
  if (paused) return { ...list, paused };
  const shown = [...list.held, ...list.shown].slice(0, list.limit);
  return { ...list, shown, held: [], missed: 0, paused };
}
