import { createStore } from "zustand/vanilla";
import { serviceConfig } from "../api/streams";
import type { GiftOrder } from "../api/wallet";
import type { GiftReceipt } from "../api/types";
import { accessToken, msUntilRenewal, tokenInsteadOf, useSession } from "../session/session";
import { ChatConnection, type ChatStatus } from "./connection";
import { DEFAULT_LIMITS, type Author, type Limits, type RoomFrame } from "./frames";
import { EMPTY_ROOM, joined, reduce, type Room } from "./room";

/** Frames that come in one burst are shown in one update. */
const FLUSH_MS = 50;

export interface ChatView {
  status: ChatStatus;
  reason: string | null;
  self: Author | null;
  limits: Limits;
  room: Room;
}

/** The chat of one stream: its connection and what is shown of it. */
export class Chat {
  readonly view = createStore<ChatView>(() => ({
    status: "connecting", reason: null, self: null, limits: DEFAULT_LIMITS, room: EMPTY_ROOM,
  }));
  private readonly connection: ChatConnection;
  private readonly listeners = new Set<(frame: RoomFrame) => void>();
  private pending: RoomFrame[] = [];
  private flushing: ReturnType<typeof setTimeout> | undefined;
  private unsubscribe: () => void = () => undefined;

  constructor(readonly streamId: string) {
    this.connection = new ChatConnection(streamId, {
      url: async () => (await serviceConfig()).chat_url,
      token: accessToken,
      tokenInsteadOf,
      msUntilRenewal,
      onStatus: (status, reason) => this.view.setState({ status, reason }),
      onWelcome: (self, limits) => this.view.setState({ self, limits }),
      onJoined: (frame) => this.view.setState(({ room }) => ({ room: joined(room, frame) })),
      onFrame: (frame) => this.queue(frame),
    });
  }

  open(): void {
    this.unsubscribe = useSession.subscribe(({ user }, before) => {
      if (user?.user_id !== before.user?.user_id) this.connection.restart();
    });
    this.connection.open();
  }

  close(): void {
    this.unsubscribe();
    clearTimeout(this.flushing);
    this.flushing = undefined;
    this.connection.close();
  }

  /** Hears each frame of the room as it comes; history is not told. */
  listen(listener: (frame: RoomFrame) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async say(text: string): Promise<void> {
    await this.connection.request({ t: "say", stream_id: this.streamId, text }, "ok");
  }

  async gift(order: GiftOrder): Promise<GiftReceipt> {
    return await this.connection.request({ t: "gift", stream_id: this.streamId, ...order }, "receipt");
  }

  async delete(messageId: string): Promise<void> {
    await this.connection.request({ t: "delete", stream_id: this.streamId, message_id: messageId }, "ok");
  }

  /** Zero seconds lifts a time-out. */
  async timeOut(userId: string, seconds: number): Promise<void> {
    await this.connection.request({ t: "timeout", stream_id: this.streamId, user_id: userId, seconds }, "ok");
  }

  private queue(frame: RoomFrame): void {
    this.pending.push(frame);
    this.flushing ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  private flush(): void {
    this.flushing = undefined;
    const frames = this.pending;
    this.pending = [];
    this.view.setState(({ room }) => ({ room: frames.reduce(reduce, room) }));
    for (const frame of frames) for (const listener of this.listeners) listener(frame);
  }
}
