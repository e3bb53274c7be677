import type { RefusedFrame } from "./frames";

/** The server refused a frame; `code` is one of the protocol's refusal codes. */
export class ChatRefusal extends Error {
  override readonly name = "ChatRefusal";

  constructor(
    readonly code: string,
    message: string,
    readonly retryAfterMs: number | null = null,
    readonly until: string | null = null,
  ) {
    super(message);
  }

  static from({ code, message, retry_after_ms, until }: RefusedFrame): ChatRefusal {
    return new ChatRefusal(code, message, retry_after_ms ?? null, until ?? null);
  }
}

/** The connection ended before an answer came: whether the frame took effect is unknown. */
export class ChatInterrupted extends Error {
  override readonly name = "ChatInterrupted";

  constructor() {
    super("The chat is reconnecting. Try again in a moment.");
  }
}
