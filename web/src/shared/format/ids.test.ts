import { expect, it } from "vitest";
import { shortIds } from "./ids";

it("cuts ids and nothing else", () => {
  expect(shortIds("user:01a2063e-54c1-711a-8930-818a0e1b00a1")).toBe("user:…0e1b00a1");
  expect(shortIds("nothing-here-1234")).toBe("nothing-here-1234");
});
