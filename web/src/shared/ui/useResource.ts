import { useCallback, useEffect, useRef, useState } from "react";

export interface Resource<Data> {
  data: Data | null;
  error: unknown;
  loading: boolean;
  reload(): void;
}

/**
 * What `fetcher` gives, asked for again when it changes and, with `everyMs`, while the page is in
 * sight. Data stays while it is renewed; it is dropped when the fetcher changes. `fetcher` must be
 * stable (useCallback or a module's function); null asks for nothing.
 */
export function useResource<Data>(
  fetcher: ((signal: AbortSignal) => Promise<Data>) | null, everyMs: number | null = null,
): Resource<Data> {
  const [state, setState] = useState<{ of: unknown; data: Data | null; error: unknown }>(
    { of: fetcher, data: null, error: null });
  const load = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (fetcher === null) return undefined;
    let abort = new AbortController();
    const run = async () => {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      try {
        const data = await fetcher(signal);
        if (!signal.aborted) setState({ of: fetcher, data, error: null });
      } catch (error) {
        if (!signal.aborted) setState((before) => ({ of: fetcher, data: before.of === fetcher ? before.data : null, error }));
      }
    };
    load.current = () => void run();
    void run();
    const timer = everyMs === null ? undefined : setInterval(() => {
      if (!document.hidden) void run();
    }, everyMs);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [fetcher, everyMs]);

  const reload = useCallback(() => load.current(), []);
  const current = state.of === fetcher ? state : { data: null, error: null };
  return { ...current, loading: fetcher !== null && current.data === null && !current.error, reload };
}
