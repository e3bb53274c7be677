import { describe, expect, it } from "vitest";
import type { GiftFrame, JoinedFrame, MessageFrame } from "./frames";
import { EMPTY_ROOM, joined, MAX_LINES, reduce } from "./room";

const STREAM = "stream";

function message(number: number): MessageFrame {
  return {
    t: "message", stream_id: STREAM, message_id: `m${number}`, text: `text ${number}`,
    user: { user_id: "u1", name: "Ann" }, at: new Date(number * 1000).toISOString(),
  };
}

function gift(number: number): GiftFrame {
  return {
    t: "gift", stream_id: STREAM, event_id: `g${number}`, user: { user_id: "u2", name: "Bo" }, gift_id: "rose",
    name: "Rose", emoji: "🌹", count: 1, total_minor: 10, currency: "COIN", at: new Date(number * 1000).toISOString(),
  };
}

function join(history: JoinedFrame["history"]): JoinedFrame {
  return { t: "joined", stream_id: STREAM, viewers: 3, history, state: "live" };
}

const keys = (room: { lines: readonly { key: string }[] }) => room.lines.map(({ key }) => key);

describe("room", () => {
  it("takes history, viewers and state when joined", () => {
    const room = joined(EMPTY_ROOM, join([message(1), gift(2)]));
    expect(keys(room)).toEqual(["m1", "g2"]);
    expect(room).toMatchObject({ viewers: 3, streamState: "live" });
  });

  it("fills what was missed when joined again, in order and once", () => {
    const before = [message(1), message(4)].reduce(reduce, EMPTY_ROOM);
    const room = joined(before, join([message(1), gift(2), message(3), message(4), message(5)]));
    expect(keys(room)).toEqual(["m1", "g2", "m3", "m4", "m5"]);
  });

  it("shows a repeated event once", () => {
    expect(keys([gift(1), gift(1), message(1), message(1)].reduce(reduce, EMPTY_ROOM))).toEqual(["g1", "m1"]);
  });

  it("keeps the newest lines only", () => {
    const room = Array.from({ length: MAX_LINES + 5 }, (_, index) => message(index)).reduce(reduce, EMPTY_ROOM);
    expect(room.lines).toHaveLength(MAX_LINES);
    expect(room.lines[0]?.key).toBe("m5");
  });

  it("marks a deleted message and leaves the others as they are", () => {
    const before = [message(1), message(2)].reduce(reduce, EMPTY_ROOM);
    const room = reduce(before, { t: "deleted", stream_id: STREAM, message_id: "m1", by: null });
    expect(room.lines.map(({ deleted }) => deleted)).toEqual([true, false]);
    expect(room.lines[1]).toBe(before.lines[1]);
  });

  it("knows who may not write, and forgets a lifted time-out", () => {
    const until = "2026-01-31T12:00:00.000Z";
    const muted = reduce(EMPTY_ROOM, { t: "timed_out", stream_id: STREAM, user_id: "u1", until });
    expect(muted.timeouts).toEqual({ u1: until });
    expect(reduce(muted, { t: "timed_out", stream_id: STREAM, user_id: "u1", until: null }).timeouts).toEqual({});
  });

  it("follows the viewer count and the stream's state", () => {
    const counted = reduce(EMPTY_ROOM, { t: "viewers", stream_id: STREAM, count: 7 });
    expect(reduce(counted, { t: "stream", stream_id: STREAM, state: "interrupted" }))
      .toMatchObject({ viewers: 7, streamState: "interrupted" });
  });

  it("remembers why the stream ended until it is live again", () => {
    const ended = reduce(EMPTY_ROOM, { t: "stream", stream_id: STREAM, state: "offline", reason: "Too fast." });
    expect(ended.endReason).toBe("Too fast.");
    expect(joined(ended, { ...join([]), state: "offline" }).endReason).toBe("Too fast.");
    expect(joined(ended, join([])).endReason).toBeNull();
    expect(reduce(ended, { t: "stream", stream_id: STREAM, state: "live" }).endReason).toBeNull();
  });
});
