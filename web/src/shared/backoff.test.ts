import { expect, it } from "vitest";
import { backoffMs } from "./backoff";

const BACKOFF = { firstMs: 500, capMs: 8_000 };

it("doubles up to the cap and spreads over the upper half", () => {
  expect([0, 1, 2, 3, 4, 5, 500].map((attempt) => backoffMs(BACKOFF, attempt, 1)))
    .toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
  expect(backoffMs(BACKOFF, 2, 0)).toBe(1000);
});
