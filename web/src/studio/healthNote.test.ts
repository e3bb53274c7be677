import { expect, it } from "vitest";
import type { StreamStats } from "@shared/api/types";
import { healthNote } from "./healthNote";

const FIGURES = {
  width: 1280, height: 720, fps: 30, codec: "H264", bitrateBps: 1, packetsLost: 0, rttMs: 1, bufferMs: null, limitedBy: null,
};
const STATS: StreamStats = {
  state: "live", viewers: 0, uptime_s: 1, packets_forwarded: 0, packets_dropped: 0, packets_resent: 0, keyframe_requests: 0,
  tracks: [{ kind: "video", codec: "H264", bitrate_bps: 1, packets: 95, lost: 5 }],
};

it("names the limit before the loss, and is silent when all is well", () => {
  expect(healthNote({ ...FIGURES, limitedBy: "cpu" }, STATS)).toContain("too busy");
  expect(healthNote(FIGURES, STATS)).toContain("5.0 %");
  expect(healthNote(FIGURES, null)).toBe("");
});
