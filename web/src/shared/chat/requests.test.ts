import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChatInterrupted, ChatRefusal } from "./refusal";
import { Requests } from "./requests";

describe("requests", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("pairs answers by id, in any order", async () => {
    const requests = new Requests();
    const [one, two] = [requests.open(), requests.open()];
    expect(requests.settle({ t: "ok", id: two.id, message_id: "b" })).toBe(true);
    expect(requests.settle({ t: "ok", id: one.id, message_id: "a" })).toBe(true);
    await expect(one.answer).resolves.toMatchObject({ message_id: "a" });
    await expect(two.answer).resolves.toMatchObject({ message_id: "b" });
  });

  it("rejects with the refusal", async () => {
    const requests = new Requests();
    const { id, answer } = requests.open();
    requests.settle({ t: "refused", id, code: "rate_limited", message: "Slower.", retry_after_ms: 900 });
    await expect(answer).rejects.toEqual(new ChatRefusal("rate_limited", "Slower.", 900));
    await expect(answer).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 900 });
  });

  it("gives up after a while and ignores the late answer", async () => {
    const requests = new Requests();
    const { id, answer } = requests.open();
    const outcome = expect(answer).rejects.toBeInstanceOf(ChatInterrupted);
    await vi.advanceTimersByTimeAsync(10_000);
    await outcome;
    expect(requests.settle({ t: "ok", id })).toBe(false);
  });

  it("ends all that wait when the connection ends", async () => {
    const requests = new Requests();
    const answers = [requests.open().answer, requests.open().answer];
    const outcomes = answers.map((answer) => expect(answer).rejects.toBeInstanceOf(ChatInterrupted));
    requests.interrupt();
    await Promise.all(outcomes);
  });
});
