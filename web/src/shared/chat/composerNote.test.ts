import { expect, it } from "vitest";
import { charsOf, composerNote } from "./composerNote";

const QUIET = { status: "open", reason: null, refusal: null, text: "", maxChars: 500, timedOutUntil: null, now: 0 } as const;

it("is silent when there is nothing to say", () => {
  expect(composerNote(QUIET)).toEqual({ text: "", bad: false });
});

it("tells of a refusal before anything else", () => {
  const note = composerNote({ ...QUIET, status: "waiting", refusal: "Slower.", timedOutUntil: "2026-01-01T00:00:00Z" });
  expect(note).toEqual({ text: "Slower.", bad: true });
});

it("counts characters down as the server counts them", () => {
  expect(charsOf(" 🌹🌹 ")).toBe(2);
  expect(composerNote({ ...QUIET, maxChars: 10, text: "🌹🌹" }).text).toBe("8 characters left");
  expect(composerNote({ ...QUIET, maxChars: 1, text: "🌹🌹" })).toEqual({ text: "1 characters too many", bad: true });
});

it("forgets a time-out that is over", () => {
  const until = "2026-01-01T00:00:00Z";
  expect(composerNote({ ...QUIET, timedOutUntil: until, now: Date.parse(until) - 1 }).bad).toBe(true);
  expect(composerNote({ ...QUIET, timedOutUntil: until, now: Date.parse(until) }).bad).toBe(false);
});
