import type { GiftReceipt, Role, StreamState } from "../api/types";

/** The frames of the chat WebSocket (docs/PROTOCOL.md). */

export interface Author {
  user_id: string;
  name: string;
  roles?: Role[];
}

export interface Limits {
  max_frame_bytes: number;
  max_text_chars: number;
  messages_per_10_s: number;
}

/** What holds until the server has said hello. */
export const DEFAULT_LIMITS: Limits = { max_frame_bytes: 4096, max_text_chars: 500, messages_per_10_s: 10 };

export interface MessageFrame {
  t: "message";
  stream_id: string;
  message_id: string;
  user: Author;
  text: string;
  at: string;
}

export interface GiftFrame {
  t: "gift";
  stream_id: string;
  event_id: string;
  user: Author;
  gift_id: string;
  name: string;
  emoji: string;
  count: number;
  total_minor: number;
  currency: string;
  at: string;
}

export type RoomFrame =
  | MessageFrame
  | GiftFrame
  | { t: "deleted"; stream_id: string; message_id: string; by: unknown }
  | { t: "timed_out"; stream_id: string; user_id: string; until: string | null }
  | { t: "viewers"; stream_id: string; count: number }
  | { t: "stream"; stream_id: string; state: StreamState; reconnect?: boolean; reason?: string };

export interface JoinedFrame {
  t: "joined";
  id?: number;
  stream_id: string;
  viewers: number;
  history: (MessageFrame | GiftFrame)[];
  state: StreamState;
}

export interface RefusedFrame {
  t: "refused";
  id?: number;
  code: string;
  message: string;
  retry_after_ms?: number;
  until?: string;
}

export type AnswerFrame =
  | { t: "welcome"; id?: number; user: Author | null; limits: Limits; ping_s: number }
  | JoinedFrame
  | { t: "left"; id?: number }
  | { t: "ok"; id?: number; message_id?: string }
  | ({ t: "receipt"; id?: number } & GiftReceipt)
  | { t: "pong"; id?: number }
  | RefusedFrame;

export type ServerFrame = RoomFrame | AnswerFrame | { t: "expired" };

export type ClientFrame =
  | { t: "hello"; token?: string }
  | { t: "join"; stream_id: string }
  | { t: "say"; stream_id: string; text: string }
  | { t: "gift"; stream_id: string; request_id: string; gift_id: string; count: number }
  | { t: "delete"; stream_id: string; message_id: string }
  | { t: "timeout"; stream_id: string; user_id: string; seconds: number }
  | { t: "ping" };

/** Frame types that a room's members get unasked. */
const ROOM_TYPES: ReadonlySet<string> = new Set(["message", "gift", "deleted", "timed_out", "viewers", "stream"]);

export function isRoomFrame(frame: ServerFrame): frame is RoomFrame {
  return ROOM_TYPES.has(frame.t);
}
