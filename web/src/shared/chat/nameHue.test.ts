import { expect, it } from "vitest";
import { HUES, nameHue } from "./nameHue";

it("gives a person one of the hues, always the same", () => {
  const hues = Array.from({ length: 50 }, (_, index) => nameHue(`0198c0de-0000-7000-8000-0000000000${index}`));
  expect(hues.every((hue) => hue >= 0 && hue < HUES)).toBe(true);
  expect(new Set(hues).size).toBe(HUES);
  expect(nameHue("a")).toBe(nameHue("a"));
});
