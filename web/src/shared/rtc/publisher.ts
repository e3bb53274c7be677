import { createStore } from "zustand/vanilla";
import { withToken } from "../api/call";
import { hasCode, messageFor } from "../api/problem";
import { backoffMs } from "../backoff";
import { accessToken } from "../session/session";
import { isOnAir, nextBroadcast, type BroadcastEvent, type BroadcastState } from "./broadcast";
import { makeOffer, watchConnection } from "./connection";
import { endSession, isLost, postOffer } from "./endpoint";
import { Meter } from "./meter";
import type { Quality } from "./quality";
import { limitSender, preferVideoCodecs } from "./senders";
import type { MediaFigures } from "./stats";

const BACKOFF = { firstMs: 500, capMs: 8_000 };

export interface PublisherView {
  state: BroadcastState;
  figures: MediaFigures | null;
  startedAtMs: number | null;
  reason: string | null;
}

interface Attempt {
  peer: RTCPeerConnection;
  abort: AbortController;
  session: string | null;
  cleanUp: (() => void)[];
}

/** Publishes one capture by WHIP and comes back by itself until stopped. */
export class Publisher {
  readonly view = createStore<PublisherView>(() => ({
    state: "idle", figures: null, startedAtMs: null, reason: null,
  }));
  private attempt: Attempt | null = null;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private media: MediaStream | null = null;
  private quality: Quality | null = null;

  constructor(private readonly endpoint: string) {}

  start(media: MediaStream, quality: Quality): void {
    this.media = media;
    this.quality = quality;
    this.failures = 0;
    window.addEventListener("pagehide", this.onPageHide);
    this.view.setState({ reason: null, startedAtMs: null, figures: null });
    this.apply("start");
    void this.connect();
  }

  /** Puts other tracks on air without a new session, where both have the same kinds. */
  async replace(media: MediaStream, quality: Quality): Promise<void> {
    this.media = media;
    this.quality = quality;
    const senders = this.attempt?.peer.getSenders() ?? [];
    for (const [index, kind] of (["video", "audio"] as const).entries()) {
      const sender = senders[index];
      if (!sender) continue;
      await sender.replaceTrack(media.getTracks().find((track) => track.kind === kind) ?? null);
      if (kind === "video") await limitSender(sender, quality);
    }
  }

  /** The server lost sessions of this stream: if this one is among them, another is made at once. */
  async check(): Promise<void> {
    const attempt = this.attempt;
    if (!attempt?.session || !await isLost(attempt.session, accessToken)) return;
    attempt.session = null;
    await this.failed(attempt, null);
  }

  async stop(): Promise<void> {
    window.removeEventListener("pagehide", this.onPageHide);
    clearTimeout(this.retry);
    const ended = this.drop();
    this.view.setState({ figures: null, startedAtMs: null });
    this.apply("stop");
    await ended;
  }

  private async connect(): Promise<void> {
    const { media, quality } = this;
    if (media === null || quality === null) return;
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const attempt: Attempt = { peer, abort: new AbortController(), session: null, cleanUp: [] };
    this.attempt = attempt;
    try {
      const [video, audio] = [media.getVideoTracks()[0] ?? "video", media.getAudioTracks()[0] ?? "audio"];
      const picture = peer.addTransceiver(video, { direction: "sendonly", streams: [media] });
      peer.addTransceiver(audio, { direction: "sendonly", streams: [media] });
      preferVideoCodecs(picture);
      const offer = await makeOffer(peer);
      attempt.abort.signal.throwIfAborted();
      const { answer, session } = await withToken(
        (token) => postOffer(this.endpoint, offer, token, attempt.abort.signal));
      attempt.session = session;
      if (this.attempt !== attempt) return void endSession(session, await accessToken());
      await peer.setRemoteDescription({ type: "answer", sdp: answer });
      await limitSender(picture.sender, quality);
      attempt.cleanUp.push(watchConnection(peer,
        () => this.connected(attempt), (closedByServer) => {
          // What the server ended needs no DELETE.
          if (closedByServer) attempt.session = null;
          void this.failed(attempt, null);
        }));
    } catch (error) {
      await this.failed(attempt, error);
    }
  }

  private connected(attempt: Attempt): void {
    if (this.attempt !== attempt || this.view.getState().state === "live") return;
    this.failures = 0;
    this.view.setState((view) => ({ startedAtMs: view.startedAtMs ?? Date.now(), reason: null }));
    this.apply("connected");
    const meter = new Meter(attempt.peer, "outbound", ({ figures }) => this.view.setState({ figures }));
    attempt.cleanUp.push(() => meter.stop());
  }

  private async failed(attempt: Attempt, error: unknown): Promise<void> {
    if (this.attempt !== attempt) return;
    const everLive = this.view.getState().startedAtMs !== null;
    const waitMs = backoffMs(BACKOFF, this.failures, Math.random());
    this.failures += 1;
    const ended = this.drop();
    this.view.setState({ figures: null, reason: error === null ? null : messageFor(error) });
    // After a drop the server may still hold our old session for a moment: busy is then no refusal.
    const retryable = error === null || hasCode(error, "network", "unavailable", "internal", "rate_limited")
      || (everLive && hasCode(error, "stream_busy"));
    this.apply(retryable ? "lost" : "refused");
    await ended;
    if (retryable && isOnAir(this.view.getState().state)) {
      clearTimeout(this.retry);
      this.retry = setTimeout(() => void this.connect(), waitMs);
    }
  }

  /** Lets go of the present attempt; resolves when the server knows. */
  private async drop(): Promise<void> {
    const attempt = this.attempt;
    this.attempt = null;
    if (attempt === null) return;
    attempt.abort.abort();
    for (const undo of attempt.cleanUp) undo();
    attempt.peer.close();
    if (attempt.session !== null) await endSession(attempt.session, await accessToken());
  }

  private apply(event: BroadcastEvent): void {
    this.view.setState(({ state }) => ({ state: nextBroadcast(state, event) }));
  }

  private readonly onPageHide = () => {
    clearTimeout(this.retry);
    void this.drop();
  };
}
