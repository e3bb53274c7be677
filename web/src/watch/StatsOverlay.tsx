import { formatBitrate } from "@shared/format/measures";
import type { MediaFigures } from "@shared/rtc/stats";

export function StatsOverlay({ figures }: { figures: MediaFigures | null }) {
  return (
    <dl className="stage-stats numbers" data-testid="stats">
      {rowsOf(figures).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function rowsOf(figures: MediaFigures | null): [string, string][] {
  if (figures === null) return [["Picture", "none"]];
  const { width, height, fps, codec, bitrateBps, packetsLost, rttMs, bufferMs } = figures;
  // One way over the network plus the wait in the jitter buffer; capture and encoding are not known here.
  const latencyMs = rttMs === null && bufferMs === null ? null : Math.round((rttMs ?? 0) / 2 + (bufferMs ?? 0));
  return [
    ["Picture", width && height ? `${width} × ${height}` : "–"],
    ["Frames", fps === null ? "–" : `${Math.round(fps)} fps`],
    ["Codec", codec ?? "–"],
    ["Bitrate", formatBitrate(bitrateBps)],
    ["Latency", latencyMs === null ? "–" : `${latencyMs} ms`],
    ["Packets lost", String(packetsLost)],
  ];
}
