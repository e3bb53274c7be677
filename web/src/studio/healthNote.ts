import type { StreamStats } from "@shared/api/types";
import type { MediaFigures } from "@shared/rtc/stats";

const LIMITS: Readonly<Record<string, string>> = {
  cpu: "This computer is too busy to encode in full quality. Choose a lower one.",
  bandwidth: "Your connection is too slow for this quality. Choose a lower one.",
};

/** One thing to know about the stream's health; empty when all is well. */
export function healthNote(figures: MediaFigures | null, stats: StreamStats | null): string {
  const limit = figures?.limitedBy ? LIMITS[figures.limitedBy] : undefined;
  if (limit) return limit;
  const received = stats?.tracks.reduce((sum, track) => sum + track.packets, 0) ?? 0;
  const lost = stats?.tracks.reduce((sum, track) => sum + track.lost, 0) ?? 0;
  const share = lost / Math.max(1, received + lost);
  return share > 0.01 ? `${(share * 100).toFixed(1)} % of your packets are lost on the way to the server.` : "";
}
