import { describe, expect, it } from "vitest";
import { formatAmount, formatChange, formatMoney, minorDigits } from "./money";

describe("money", () => {
  it.each([
    [0, "COIN", "0 coins"],
    [1, "COIN", "1 coin"],
    [-1, "COIN", "−1 coin"],
    [1234567, "COIN", "1,234,567 coins"],
    [5, "EUR", "0.05 EUR"],
    [-123456, "EUR", "−1,234.56 EUR"],
    [1000, "JPY", "1,000 JPY"],
  ])("%i of %s is %s", (amount, currency, text) => {
    expect(formatMoney(amount, currency)).toBe(text);
  });

  it("loses no digit of a large amount", () => {
    expect(formatAmount(Number.MAX_SAFE_INTEGER, "EUR")).toBe("90,071,992,547,409.91");
  });

  it.each([0.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1])("refuses %s, which is no amount", (amount) => {
    expect(() => formatAmount(amount, "COIN")).toThrow(RangeError);
  });

  it("shows the sign of a change", () => {
    expect([20, -20, 0].map((amount) => formatChange(amount, "COIN"))).toEqual(["+20", "−20", "0"]);
  });

  it("takes two digits for a currency it cannot know", () => {
    expect(minorDigits("not a code")).toBe(2);
  });
});
