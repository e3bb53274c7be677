import { expect, it } from "vitest";
import { figureText, namedFigure } from "./figureText";

it.each([
  [35, "35"], [12345.678, "12,345.68"], ["COIN", "COIN"], [true, "true"], [null, "–"], [["a", 2], "a, 2"], [{ a: 1 }, '{"a":1}'],
])("%j reads %s", (value, text) => {
  expect(figureText(value)).toBe(text);
});

it.each([
  ["window_s", 60, { name: "Window", text: "60 s" }],
  ["amount_minor", 1320, { name: "Amount", text: "1,320 coins" }],
  ["gifts", 44, { name: "Gifts", text: "44" }],
  ["path_s", "none", { name: "Path s", text: "none" }],
])("%s of %j is named with its unit", (name, value, figure) => {
  expect(namedFigure(name, value)).toEqual(figure);
});
