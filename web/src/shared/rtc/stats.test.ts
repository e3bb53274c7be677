import { describe, expect, it } from "vitest";
import { bitrate, readStats, type StatsEntry } from "./stats";

const INBOUND: StatsEntry[] = [
  { type: "inbound-rtp", kind: "video", timestamp: 2000, bytesReceived: 300_000, packetsLost: 2, codecId: "c1", frameWidth: 1280,
    frameHeight: 720, framesPerSecond: 30, jitterBufferDelay: 3, jitterBufferEmittedCount: 60 },
  { type: "inbound-rtp", kind: "audio", timestamp: 2000, bytesReceived: 12_500, packetsLost: 1 },
  { type: "codec", id: "c1", timestamp: 2000, mimeType: "video/H264" },
  { type: "candidate-pair", timestamp: 2000, nominated: true, state: "succeeded", currentRoundTripTime: 0.024 },
];

describe("readStats", () => {
  it("adds audio and video up and names the picture", () => {
    const { figures, sample } = readStats(INBOUND, "inbound", { atMs: 1000, bytes: 0 });
    expect(sample).toEqual({ atMs: 2000, bytes: 312_500 });
    expect(figures).toEqual({
      width: 1280, height: 720, fps: 30, codec: "H264", bitrateBps: 2_500_000, packetsLost: 3, rttMs: 24, bufferMs: 50,
      limitedBy: null,
    });
  });

  it("tells why a sender holds back, and what the far side lost", () => {
    const { figures } = readStats([
      { type: "outbound-rtp", kind: "video", timestamp: 1, bytesSent: 1, qualityLimitationReason: "bandwidth" },
      { type: "remote-inbound-rtp", kind: "video", timestamp: 1, packetsLost: 4 },
    ], "outbound", null);
    expect(figures).toMatchObject({ limitedBy: "bandwidth", packetsLost: 4, bufferMs: null, bitrateBps: 0 });
  });

  it("has nothing to say about nothing", () => {
    expect(readStats([], "inbound", null).figures).toMatchObject({ width: null, fps: null, codec: null, bitrateBps: 0 });
  });
});

it("a counter that starts again makes no rate", () => {
  expect(bitrate({ atMs: 1000, bytes: 500 }, { atMs: 2000, bytes: 100 })).toBe(0);
  expect(bitrate({ atMs: 1000, bytes: 500 }, { atMs: 1000, bytes: 900 })).toBe(0);
});
