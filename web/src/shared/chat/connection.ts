import { backoffMs } from "../backoff";
import { codecFor, SUBPROTOCOLS, type Codec } from "./codec";
import { isRoomFrame, type AnswerFrame, type Author, type ClientFrame, type JoinedFrame, type Limits, type RoomFrame, type ServerFrame } from "./frames";
import { ChatInterrupted, ChatRefusal } from "./refusal";
import { Requests } from "./requests";

const BACKOFF = { firstMs: 500, capMs: 15_000 };
const TOO_MANY_CONNECTIONS = 4004;

export type ChatStatus = "connecting" | "open" | "waiting" | "refused" | "closed";

/** What the connection needs of the page around it. */
export interface ChatPorts {
  url(): Promise<string>;
  token(): Promise<string | null>;
  tokenInsteadOf(refused: string): Promise<string | null>;
  /** Milliseconds until the token should be replaced; null for a guest. */
  msUntilRenewal(): number | null;
  onStatus(status: ChatStatus, reason: string | null): void;
  onWelcome(user: Author | null, limits: Limits): void;
  onJoined(frame: JoinedFrame): void;
  onFrame(frame: RoomFrame): void;
}

/** One member's WebSocket to one room; connects again by itself until closed. */
export class ChatConnection {
  private socket: WebSocket | null = null;
  private codec: Codec = codecFor("");
  private readonly requests = new Requests();
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private renewal: ReturnType<typeof setTimeout> | undefined;
  private pinging: ReturnType<typeof setInterval> | undefined;
  private closed = true;

  constructor(private readonly streamId: string, private readonly ports: ChatPorts) {}

  open(): void {
    this.closed = false;
    clearTimeout(this.retry);
    this.ports.onStatus("connecting", null);
    void this.ports.url().then((url) => this.connect(url), () => this.lost(null));
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.detach()?.close(1000);
    this.ports.onStatus("closed", null);
  }

  /** Somebody signed in or out: a new connection says so most plainly. */
  restart(): void {
    if (this.closed) return;
    this.detach()?.close(1000);
    this.failures = 0;
    this.open();
  }

  /** The answer to a frame. Raises ChatRefusal or ChatInterrupted. */
  async request<T extends AnswerFrame["t"]>(frame: ClientFrame, expected: T): Promise<Extract<AnswerFrame, { t: T }>> {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN) throw new ChatInterrupted();
    const { id, answer } = this.requests.open();
    socket.send(this.codec.encode({ ...frame, id }));
    const got = await answer;
    if (got.t !== expected) throw new ChatInterrupted();
    return got as Extract<AnswerFrame, { t: T }>;
  }

  private connect(url: string): void {
    if (this.closed) return;
    this.detach()?.close(1000);
    const socket = new WebSocket(url, [...SUBPROTOCOLS]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.addEventListener("open", () => {
      if (this.socket !== socket) return;
      this.codec = codecFor(socket.protocol);
      void this.enter(socket);
    });
    socket.addEventListener("message", ({ data }) => {
      const frame = this.socket === socket ? this.codec.decode(data) : null;
      if (frame) this.received(frame);
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.socket === socket) this.lost(code);
    });
  }

  private async enter(socket: WebSocket): Promise<void> {
    try {
      const pingS = await this.hello();
      const frame = await this.request({ t: "join", stream_id: this.streamId }, "joined");
      this.failures = 0;
      this.pinging = setInterval(() => void this.ping(socket), pingS * 1000);
      this.ports.onJoined(frame);
      this.ports.onStatus("open", null);
    } catch (error) {
      if (this.socket !== socket) return;
      if (error instanceof ChatRefusal && error.code === "unknown_stream") {
        this.detach()?.close(1000);
        this.ports.onStatus("refused", error.message);
      } else {
        socket.close(1000);
      }
    }
  }

  /** Says who we are; a token that is refused is renewed once, else we come as a guest. Gives the ping interval. */
  private async hello(): Promise<number> {
    const token = await this.ports.token();
    try {
      return await this.helloWith(token);
    } catch (error) {
      const spent = error instanceof ChatRefusal && ["expired_token", "invalid_token"].includes(error.code);
      if (!spent || token === null) throw error;
      return await this.helloWith(await this.ports.tokenInsteadOf(token));
    }
  }

  private async helloWith(token: string | null): Promise<number> {
    const { user, limits, ping_s } = await this.request(token === null ? { t: "hello" } : { t: "hello", token }, "welcome");
    this.ports.onWelcome(user, limits);
    this.planRenewal();
    return ping_s;
  }

  private planRenewal(): void {
    clearTimeout(this.renewal);
    const waitMs = this.ports.msUntilRenewal();
    if (waitMs === null) return;
    this.renewal = setTimeout(() => void this.hello().catch(() => this.socket?.close(1000)), Math.max(waitMs, 5_000));
  }

  private async ping(socket: WebSocket): Promise<void> {
    try {
      await this.request({ t: "ping" }, "pong");
    } catch {
      socket.close(1000);
      if (this.socket === socket) this.lost(null);
    }
  }

  private received(frame: ServerFrame): void {
    if (isRoomFrame(frame)) {
      if (frame.stream_id === this.streamId) this.ports.onFrame(frame);
    } else if (frame.t === "expired") {
      void this.hello().catch(() => this.socket?.close(1000));
    } else {
      this.requests.settle(frame);
    }
  }

  private lost(code: number | null): void {
    this.detach();
    if (this.closed) return;
    this.ports.onStatus("waiting", code === TOO_MANY_CONNECTIONS
      ? "You have too many chats open. Close another tab." : null);
    const waitMs = code === TOO_MANY_CONNECTIONS ? BACKOFF.capMs : backoffMs(BACKOFF, this.failures, Math.random());
    this.failures += 1;
    this.retry = setTimeout(() => this.open(), waitMs);
  }

  private detach(): WebSocket | null {
    const { socket } = this;
    this.socket = null;
    clearTimeout(this.renewal);
    clearInterval(this.pinging);
    this.requests.interrupt();
    return socket;
  }
}
