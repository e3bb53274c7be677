import { useCallback, useEffect, useRef, useState } from "react";
import type { Page } from "../api/types";
import { useResource } from "./useResource";

export interface CursorPages<Item> {
  items: Item[] | null;
  error: unknown;
  loading: boolean;
  previous: (() => void) | null;
  next: (() => void) | null;
  reload(): void;
}

/**
 * A list read page by page. `read` may be new each time; `key` says when it means another list,
 * which starts at its first page.
 */
export function useCursor<Item>(
  read: (cursor: string | null, signal: AbortSignal) => Promise<Page<Item>>, key: unknown,
  everyMs: number | null = null,
): CursorPages<Item> {
  const [place, setPlace] = useState<{ key: unknown; trail: (string | null)[] }>({ key, trail: [null] });
  const trail = place.key === key ? place.trail : FIRST;
  const cursor = trail.at(-1) ?? null;
  const latest = useRef(read);
  useEffect(() => {
    latest.current = read;
  });
  // oxlint-disable-next-line react/exhaustive-deps -- key stands for what `read` captures
  const fetcher = useCallback((signal: AbortSignal) => latest.current(cursor, signal), [cursor, key]);
  const { data, error, loading, reload } = useResource(fetcher, everyMs);
  const nextCursor = data?.next_cursor ?? null;
  return {
    items: data?.items ?? null,
    error,
    loading,
    reload,
    previous: trail.length > 1 ? () => setPlace({ key, trail: trail.slice(0, -1) }) : null,
    next: nextCursor === null ? null : () => setPlace({ key, trail: [...trail, nextCursor] }),
  };
}

const FIRST: (string | null)[] = [null];
