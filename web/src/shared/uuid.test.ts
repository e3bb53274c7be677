import { afterEach, expect, it, vi } from "vitest";
import { newUuid } from "./uuid";

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

afterEach(() => {
  vi.unstubAllGlobals();
});

it("makes version 4", () => {
  expect(newUuid()).toMatch(VERSION_4);
});

it("makes them where crypto.randomUUID is missing too", () => {
  const { crypto: real } = globalThis;
  vi.stubGlobal("crypto", { getRandomValues: real.getRandomValues.bind(real) });
  expect(newUuid()).toMatch(VERSION_4);
  expect(newUuid()).not.toBe(newUuid());
});
