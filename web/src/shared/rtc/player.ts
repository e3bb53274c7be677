import { createStore } from "zustand/vanilla";
import { ApiError, hasCode, messageFor } from "../api/problem";
import { backoffMs } from "../backoff";
import { makeOffer, watchConnection } from "./connection";
import { endSession, isLost, postOffer } from "./endpoint";
import { Meter } from "./meter";
import { nextPlayback, type PlaybackEvent, type PlaybackState } from "./playback";
import type { MediaFigures } from "./stats";

const BACKOFF = { firstMs: 500, capMs: 10_000 };
const OFFLINE_RETRY_S = 5;

export interface PlayerView {
  state: PlaybackState;
  media: MediaStream | null;
  figures: MediaFigures | null;
  /** What the server said when it refused. */
  reason: string | null;
}

/** One WHEP attempt: its connection and what must be undone. */
interface Attempt {
  peer: RTCPeerConnection;
  abort: AbortController;
  session: string | null;
  cleanUp: (() => void)[];
}

/** Watches one stream by WHEP and comes back by itself until closed. */
export class Player {
  readonly view = createStore<PlayerView>(() => ({ state: "idle", media: null, figures: null, reason: null }));
  private attempt: Attempt | null = null;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly endpoint: string) {}

  /** Connects now, whatever was waited for. */
  open(): void {
    window.addEventListener("pagehide", this.onPageHide);
    window.addEventListener("pageshow", this.onPageShow);
    clearTimeout(this.retry);
    this.drop();
    this.apply("open");
    void this.connect();
  }

  /** The chat says that the stream went live: no need to wait out the retry. */
  hint(live: boolean): void {
    const { state } = this.view.getState();
    if (live && this.attempt === null && (state === "offline" || state === "interrupted")) this.open();
    if (!live && this.view.getState().state !== "offline") {
      if (this.attempt) this.attempt.session = null;
      this.wentOffline(OFFLINE_RETRY_S);
    }
  }

  /** The server lost sessions of this stream: if this one is among them, another is made at once. */
  async check(): Promise<void> {
    const attempt = this.attempt;
    if (!attempt?.session || !await isLost(attempt.session, async () => null)) return;
    attempt.session = null;
    this.failed(attempt, null);
  }

  close(): void {
    window.removeEventListener("pagehide", this.onPageHide);
    window.removeEventListener("pageshow", this.onPageShow);
    clearTimeout(this.retry);
    this.drop();
    this.apply("close");
  }

  private async connect(): Promise<void> {
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const attempt: Attempt = { peer, abort: new AbortController(), session: null, cleanUp: [] };
    this.attempt = attempt;
    const media = new MediaStream();
    peer.addEventListener("track", ({ track }) => media.addTrack(track));
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addTransceiver("audio", { direction: "recvonly" });
    try {
      const offer = await makeOffer(peer);
      attempt.abort.signal.throwIfAborted();
      const { answer, session } = await postOffer(this.endpoint, offer, null, attempt.abort.signal);
      attempt.session = session;
      if (this.attempt !== attempt) return void endSession(session, null);
      await peer.setRemoteDescription({ type: "answer", sdp: answer });
      attempt.cleanUp.push(watchConnection(peer,
        () => this.connected(attempt, media), (closedByServer) => {
          // What the server ended needs no DELETE.
          if (closedByServer) attempt.session = null;
          this.failed(attempt, null);
        }));
    } catch (error) {
      this.failed(attempt, error);
    }
  }

  private connected(attempt: Attempt, media: MediaStream): void {
    if (this.attempt !== attempt) return;
    this.failures = 0;
    this.view.setState({ media, reason: null });
    this.apply("media");
    const meter = new Meter(attempt.peer, "inbound", ({ figures, stalled }) => {
      this.view.setState({ figures });
      this.apply(stalled ? "stalled" : "media");
    });
    attempt.cleanUp.push(() => meter.stop());
  }

  private failed(attempt: Attempt, error: unknown): void {
    if (this.attempt !== attempt) return;
    if (hasCode(error, "stream_offline")) return this.wentOffline(error.retryAfterS ?? OFFLINE_RETRY_S);
    this.drop();
    const retryable = !(error instanceof ApiError) || error.status >= 500 || error.status === 429 || error.status === 0;
    this.view.setState({ reason: error === null ? null : messageFor(error), figures: null });
    this.apply(retryable ? "lost" : "refused");
    if (!retryable) return;
    const waitMs = backoffMs(BACKOFF, this.failures, Math.random());
    const askedS = error instanceof ApiError ? (error.retryAfterS ?? 0) : 0;
    this.failures += 1;
    this.retryIn(Math.max(waitMs, askedS * 1000));
  }

  private wentOffline(retryAfterS: number): void {
    this.drop();
    this.failures = 0;
    this.view.setState({ media: null, figures: null, reason: null });
    this.apply("offline");
    this.retryIn(Math.max(1, retryAfterS) * 1000 * (1 + Math.random() / 4));
  }

  private retryIn(ms: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.open(), ms);
  }

  private drop(): void {
    const attempt = this.attempt;
    this.attempt = null;
    if (attempt === null) return;
    attempt.abort.abort();
    for (const undo of attempt.cleanUp) undo();
    if (attempt.session !== null) void endSession(attempt.session, null);
    attempt.peer.close();
  }

  private apply(event: PlaybackEvent): void {
    const { state } = this.view.getState();
    const next = nextPlayback(state, event);
    if (next !== state) this.view.setState({ state: next });
  }

  private readonly onPageHide = () => {
    clearTimeout(this.retry);
    this.drop();
  };

  private readonly onPageShow = (event: PageTransitionEvent) => {
    if (event.persisted) this.open();
  };
}
