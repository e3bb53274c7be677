import { expect, it } from "vitest";
import { tileFor } from "./tile";

it("draws the same for the same stream and differs between streams", () => {
  const [one, other] = ["0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002"];
  expect(tileFor(one)).toEqual(tileFor(one));
  expect(tileFor(one)).not.toEqual(tileFor(other));
  expect(tileFor(one).hue).toBeLessThan(360);
});
