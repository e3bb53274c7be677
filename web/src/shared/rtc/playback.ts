/** The states of watching, as a table. */

export type PlaybackState =
  | "idle" | "connecting" | "live" | "interrupted" | "offline" | "refused" | "closed";

export type PlaybackEvent =
  /** An attempt to connect begins. */
  | "open"
  /** Media flows (again). */
  | "media"
  /** Nothing arrives, yet the connection stands. */
  | "stalled"
  /** The connection is gone; another attempt will follow. */
  | "lost"
  /** The server says that nobody is publishing; another attempt will follow. */
  | "offline"
  /** The server will never accept this: an unknown stream, no common codec. */
  | "refused"
  | "close";

type Row = Partial<Record<PlaybackEvent, PlaybackState>>;

export const PLAYBACK: Readonly<Record<PlaybackState, Row>> = {
  idle: { open: "connecting", offline: "offline", close: "closed" },
  connecting: {
    open: "connecting", media: "live", lost: "interrupted", offline: "offline", refused: "refused", close: "closed",
  },
  live: { open: "interrupted", stalled: "interrupted", lost: "interrupted", offline: "offline", close: "closed" },
  interrupted: {
    open: "interrupted", media: "live", stalled: "interrupted", lost: "interrupted", offline: "offline",
    refused: "refused", close: "closed",
  },
  offline: {
    open: "offline", media: "live", lost: "interrupted", offline: "offline", refused: "refused", close: "closed",
  },
  refused: { open: "connecting", close: "closed" },
  closed: { open: "connecting" },
};

/** The state after an event; an event that a state does not know changes nothing. */
export function nextPlayback(state: PlaybackState, event: PlaybackEvent): PlaybackState {
  return PLAYBACK[state][event] ?? state;
}
