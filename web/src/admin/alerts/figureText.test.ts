import { expect, it } from "vitest";
import { figureText } from "./figureText";

it.each([
  [35, "35"], [12345.678, "12,345.68"], ["COIN", "COIN"], [true, "true"], [null, "–"], [["a", 2], "a, 2"], [{ a: 1 }, '{"a":1}'],
])("%j reads %s", (value, text) => {
  expect(figureText(value)).toBe(text);
});
