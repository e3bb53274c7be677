import { describe, expect, it } from "vitest";
import { BROADCAST, isOnAir, nextBroadcast, type BroadcastEvent, type BroadcastState } from "./broadcast";

function after(...events: BroadcastEvent[]): BroadcastState {
  return events.reduce<BroadcastState>(nextBroadcast, "idle");
}

describe("broadcast", () => {
  it("starts, drops, comes back and stops", () => {
    expect(after("start", "connected")).toBe("live");
    expect(after("start", "connected", "lost", "lost")).toBe("reconnecting");
    expect(after("start", "connected", "lost", "connected")).toBe("live");
    expect(after("start", "connected", "stop")).toBe("stopped");
  });

  it("needs the person after a refusal", () => {
    expect(after("start", "refused")).toBe("refused");
    expect(after("start", "refused", "lost")).toBe("refused");
    expect(after("start", "refused", "start")).toBe("connecting");
  });

  it("is not brought back by what comes late", () => {
    expect(after("start", "stop", "connected")).toBe("stopped");
    expect(after("start", "stop", "lost")).toBe("stopped");
  });

  it("is on air exactly while something is being sent or retried", () => {
    expect((Object.keys(BROADCAST) as BroadcastState[]).filter(isOnAir)).toEqual(["connecting", "live", "reconnecting"]);
  });
});
