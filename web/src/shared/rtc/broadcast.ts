/** The states of publishing from the browser, as a table. */

export type BroadcastState = "idle" | "connecting" | "live" | "reconnecting" | "refused" | "stopped";

export type BroadcastEvent =
  | "start"
  | "connected"
  /** The connection is gone; another attempt follows. */
  | "lost"
  /** The server will not take this stream; only the person can mend it. */
  | "refused"
  | "stop";

type Row = Partial<Record<BroadcastEvent, BroadcastState>>;

export const BROADCAST: Readonly<Record<BroadcastState, Row>> = {
  idle: { start: "connecting" },
  connecting: { connected: "live", lost: "reconnecting", refused: "refused", stop: "stopped" },
  live: { lost: "reconnecting", refused: "refused", stop: "stopped" },
  reconnecting: { connected: "live", lost: "reconnecting", refused: "refused", stop: "stopped" },
  refused: { start: "connecting", stop: "stopped" },
  stopped: { start: "connecting" },
};

/** The state after an event; an event that a state does not know changes nothing. */
export function nextBroadcast(state: BroadcastState, event: BroadcastEvent): BroadcastState {
  return BROADCAST[state][event] ?? state;
}

export function isOnAir(state: BroadcastState): boolean {
  return state === "connecting" || state === "live" || state === "reconnecting";
}
