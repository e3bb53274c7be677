import { expect, it } from "vitest";
import { parseSound } from "./sound";

it("remembers what was chosen", () => {
  expect(parseSound('{"volume":0.3,"muted":true}')).toEqual({ volume: 0.3, muted: true });
});

it.each([null, "", "{", "null", '{"volume":7,"muted":false}', '{"volume":0.5}'])("starts afresh from %s", (text) => {
  expect(parseSound(text)).toEqual({ volume: 0.8, muted: false });
});
