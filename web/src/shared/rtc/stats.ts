/** Figures out of RTCPeerConnection.getStats(); pure, so that a report may be any list of entries. */

export interface StatsEntry {
  type: string;
  timestamp: number;
  [field: string]: unknown;
}

/** Counters at one moment; two of them make rates. */
export interface Sample {
  atMs: number;
  bytes: number;
}

export interface MediaFigures {
  width: number | null;
  height: number | null;
  fps: number | null;
  codec: string | null;
  bitrateBps: number;
  packetsLost: number;
  rttMs: number | null;
  /** How long media waits in the jitter buffer before it is shown; null for a sender. */
  bufferMs: number | null;
  /** Why a sender sends less than asked: "cpu", "bandwidth"; null when it does not. */
  limitedBy: string | null;
}

export interface Reading {
  figures: MediaFigures;
  sample: Sample;
}

type Direction = "inbound" | "outbound";

export function readStats(entries: readonly StatsEntry[], direction: Direction, before: Sample | null): Reading {
  const media = entries.filter((entry) => entry.type === `${direction}-rtp`);
  const video = media.find((entry) => entry["kind"] === "video");
  const pair = entries.find((entry) => entry.type === "candidate-pair" && entry["nominated"] === true
    && entry["state"] === "succeeded");
  const bytesField = direction === "inbound" ? "bytesReceived" : "bytesSent";
  const lossSource = direction === "inbound" ? media : entries.filter((entry) => entry.type === "remote-inbound-rtp");
  const sample = {
    atMs: Math.max(0, ...media.map((entry) => entry.timestamp)),
    bytes: total(media, bytesField),
  };
  return {
    sample,
    figures: {
      width: numberIn(video, "frameWidth"),
      height: numberIn(video, "frameHeight"),
      fps: numberIn(video, "framesPerSecond"),
      codec: codecOf(entries, video),
      bitrateBps: bitrate(before, sample),
      packetsLost: total(lossSource, "packetsLost"),
      rttMs: inMs(numberIn(pair, "currentRoundTripTime")),
      bufferMs: direction === "inbound" ? bufferOf(video) : null,
      limitedBy: limitOf(video),
    },
  };
}

export function bitrate(before: Sample | null, now: Sample): number {
  if (before === null || now.atMs <= before.atMs || now.bytes < before.bytes) return 0;
  return Math.round(((now.bytes - before.bytes) * 8000) / (now.atMs - before.atMs));
}

function bufferOf(video: StatsEntry | undefined): number | null {
  const delayS = numberIn(video, "jitterBufferDelay");
  const emitted = numberIn(video, "jitterBufferEmittedCount");
  return delayS === null || !emitted ? null : inMs(delayS / emitted);
}

function limitOf(video: StatsEntry | undefined): string | null {
  const reason = video?.["qualityLimitationReason"];
  return typeof reason === "string" && reason !== "none" ? reason : null;
}

function codecOf(entries: readonly StatsEntry[], video: StatsEntry | undefined): string | null {
  const codec = entries.find((entry) => entry.type === "codec" && entry["id"] === video?.["codecId"]);
  const mime = codec?.["mimeType"];
  return typeof mime === "string" ? mime.replace(/^\w+\//, "") : null;
}

function total(entries: readonly StatsEntry[], field: string): number {
  return entries.reduce((sum, entry) => sum + (numberIn(entry, field) ?? 0), 0);
}

function numberIn(entry: StatsEntry | undefined, field: string): number | null {
  const value = entry?.[field];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function inMs(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 1000);
}
