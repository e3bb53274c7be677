import { expect, it } from "vitest";
import { asWords, formatBitrate, formatCount, formatDuration } from "./measures";

it.each([[0, "0:00"], [42.9, "0:42"], [725, "12:05"], [3723, "1:02:03"], [-5, "0:00"]])("%d s is %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

it.each([[2_500_000, "2.5 Mbit/s"], [640_400, "640 kbit/s"]])("%d bit/s is %s", (rate, text) => {
  expect(formatBitrate(rate)).toBe(text);
});

it.each([[999, "999"], [12_345, "12.3K"]])("%d is %s", (count, text) => {
  expect(formatCount(count)).toBe(text);
});

it.each([["gift_velocity", "Gift velocity"], ["user.suspended", "User suspended"]])("%s reads %s", (code, words) => {
  expect(asWords(code)).toBe(words);
});
