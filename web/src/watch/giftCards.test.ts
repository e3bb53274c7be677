import { expect, it } from "vitest";
import type { GiftFrame } from "@shared/chat/frames";
import { MAX_SHOWN, MAX_WAITING, NO_CARDS, withGift, withoutGift } from "./giftCards";

function gift(number: number): GiftFrame {
  return {
    t: "gift", stream_id: "s", event_id: `g${number}`, user: { user_id: "u", name: "U" }, gift_id: "rose", name: "Rose",
    emoji: "🌹", count: 1, total_minor: 10, currency: "COIN", at: "",
  };
}

const many = Array.from({ length: 40 }, (_, index) => gift(index)).reduce(withGift, NO_CARDS);

it("shows a few, lets some wait and drops the oldest of too many", () => {
  expect(many.shown.map(({ event_id }) => event_id)).toEqual(["g0", "g1", "g2"]);
  expect(many.waiting).toHaveLength(MAX_WAITING);
  expect(many.waiting[0]?.event_id).toBe("g20");
});

it("gives a freed place to the next", () => {
  const { shown, waiting } = withoutGift(many, "g1");
  expect(shown.map(({ event_id }) => event_id)).toEqual(["g0", "g2", "g20"]);
  expect(shown).toHaveLength(MAX_SHOWN);
  expect(waiting).toHaveLength(MAX_WAITING - 1);
});
