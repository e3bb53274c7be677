import type { StreamState } from "../api/types";
import type { GiftFrame, JoinedFrame, MessageFrame, RoomFrame } from "./frames";

/** What a member sees of a room: a pure function of the frames so far. */

export const MAX_LINES = 200;

export interface Line {
  key: string;
  frame: MessageFrame | GiftFrame;
  deleted: boolean;
}

export interface Room {
  lines: readonly Line[];
  /** null until the room is joined. */
  viewers: number | null;
  streamState: StreamState | null;
  /** Why the stream is offline, as far as this member has heard. */
  endReason: string | null;
  /** Users who may not write, and until when (RFC 3339). */
  timeouts: Readonly<Record<string, string>>;
}

export const EMPTY_ROOM: Room = { lines: [], viewers: null, streamState: null, endReason: null, timeouts: {} };

type Reducers = { [T in RoomFrame["t"]]: (room: Room, frame: Extract<RoomFrame, { t: T }>) => Room };

const REDUCERS: Reducers = {
  message: (room, frame) => withLines(room, [frame]),
  gift: (room, frame) => withLines(room, [frame]),
  deleted: (room, { message_id }) => ({
    ...room,
    lines: room.lines.map((line) => (line.key === message_id ? { ...line, deleted: true } : line)),
  }),
  timed_out: (room, { user_id, until }) => {
    const { [user_id]: _lifted, ...others } = room.timeouts;
    return { ...room, timeouts: until === null ? others : { ...others, [user_id]: until } };
  },
  viewers: (room, { count }) => ({ ...room, viewers: count }),
  stream: (room, { state, reason }) => ({ ...room, streamState: state, endReason: reason ?? null }),
};

export function reduce(room: Room, frame: RoomFrame): Room {
  const reducer = REDUCERS[frame.t] as (room: Room, frame: RoomFrame) => Room;
  return reducer(room, frame);
}

/** Joined, or joined again after an interruption: history fills what was missed, nothing shows twice. */
export function joined(room: Room, { history, viewers, state }: JoinedFrame): Room {
  const endReason = state === "offline" ? room.endReason : null;
  return { ...withLines(room, history), viewers, streamState: state, endReason };
}

function withLines(room: Room, frames: readonly (MessageFrame | GiftFrame)[]): Room {
  const known = new Set(room.lines.map((line) => line.key));
  const fresh = frames.map(lineOf).filter(({ key }) => !known.has(key) && known.add(key));
  if (fresh.length === 0) return room;
  const lines = [...room.lines, ...fresh];
  const lastBefore = room.lines.at(-1)?.frame.at ?? "";
  const ordered = fresh.every((line) => line.frame.at >= lastBefore) ? lines : lines.toSorted(byTime);
  return { ...room, lines: ordered.slice(-MAX_LINES) };
}

function lineOf(frame: MessageFrame | GiftFrame): Line {
  return { key: frame.t === "message" ? frame.message_id : frame.event_id, frame, deleted: false };
}

function byTime(one: Line, other: Line): number {
  return one.frame.at < other.frame.at ? -1 : one.frame.at > other.frame.at ? 1 : 0;
}
