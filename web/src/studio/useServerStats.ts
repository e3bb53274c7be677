import { streamStats } from "@shared/api/streams";
import type { StreamStats } from "@shared/api/types";
import { useResource } from "@shared/ui/useResource";
import { useCallback } from "react";

const EVERY_MS = 2_000;

/** What the server sees of the stream, whoever publishes it. */
export function useServerStats(streamId: string): StreamStats | null {
  const read = useCallback((signal: AbortSignal) => streamStats(streamId, signal), [streamId]);
  return useResource(read, EVERY_MS).data;
}
