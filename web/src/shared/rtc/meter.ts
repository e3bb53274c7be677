import { readStats, type MediaFigures, type Sample, type StatsEntry } from "./stats";

const EVERY_MS = 1_000;
const STALLED_AFTER_MS = 4_000;

export interface MeterReading {
  figures: MediaFigures;
  /** No byte moved for several seconds. */
  stalled: boolean;
}

/** Reads a peer connection's figures each second until stopped. */
export class Meter {
  private readonly timer: ReturnType<typeof setInterval>;
  private sample: Sample | null = null;
  private movedAt = performance.now();

  constructor(
    private readonly peer: RTCPeerConnection,
    private readonly direction: "inbound" | "outbound",
    private readonly report: (reading: MeterReading) => void,
  ) {
    this.timer = setInterval(() => void this.read(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async read(): Promise<void> {
    if (this.peer.connectionState !== "connected") return;
    const entries: StatsEntry[] = [];
    (await this.peer.getStats()).forEach((entry: StatsEntry) => entries.push(entry));
    const { figures, sample } = readStats(entries, this.direction, this.sample);
    const now = performance.now();
    if (sample.bytes !== this.sample?.bytes) this.movedAt = now;
    this.sample = sample;
    this.report({ figures, stalled: now - this.movedAt >= STALLED_AFTER_MS });
  }
}
