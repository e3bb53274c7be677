import { expect, it } from "vitest";
import { QUALITIES, qualityById } from "./quality";

it("finds a quality, or the first for one that is gone", () => {
  expect(qualityById("480p30").height).toBe(480);
  expect(qualityById("8k")).toBe(QUALITIES[0]);
});
