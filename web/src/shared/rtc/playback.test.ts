import { describe, expect, it } from "vitest";
import { nextPlayback, PLAYBACK, type PlaybackEvent, type PlaybackState } from "./playback";

function after(events: PlaybackEvent[], from: PlaybackState = "idle"): PlaybackState {
  return events.reduce(nextPlayback, from);
}

describe("playback", () => {
  it("connects, plays and closes", () => {
    expect(after(["open"])).toBe("connecting");
    expect(after(["open", "media"])).toBe("live");
    expect(after(["open", "media", "close"])).toBe("closed");
  });

  it("stays interrupted while it tries again, and plays on", () => {
    expect(after(["open", "media", "lost", "open", "lost", "open"])).toBe("interrupted");
    expect(after(["open", "media", "stalled", "media"])).toBe("live");
  });

  it("looks quietly for a stream that is offline", () => {
    expect(after(["open", "offline", "open", "offline"])).toBe("offline");
    expect(after(["open", "offline", "open", "media"])).toBe("live");
    expect(after(["open", "offline", "open", "lost", "open", "offline"])).toBe("offline");
  });

  it("takes nothing back once closed but a new start", () => {
    const events: PlaybackEvent[] = ["media", "stalled", "lost", "offline", "refused", "close"];
    expect(events.map((event) => nextPlayback("closed", event))).toEqual(events.map(() => "closed"));
  });

  it("can be closed from everywhere", () => {
    for (const state of Object.keys(PLAYBACK) as PlaybackState[]) expect(nextPlayback(state, "close")).toBe("closed");
  });
});
