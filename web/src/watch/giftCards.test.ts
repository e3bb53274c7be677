import { expect, it } from "vitest";
import type { GiftFrame } from "@shared/chat/frames";
import { MAX_SHOWN, MAX_WAITING, NO_CARDS, withGift, withoutGift, type GiftCards } from "./giftCards";

function gift(number: number, userId = `u${number}`): GiftFrame {
  return {
    t: "gift", stream_id: "s", event_id: `g${number}`, user: { user_id: userId, name: userId }, gift_id: "rose", name: "Rose",
    emoji: "🌹", count: 2, total_minor: 20, currency: "COIN", at: "",
  };
}

const ids = (cards: GiftCards["shown"]) => cards.map(({ event_id }) => event_id);
const many = Array.from({ length: 40 }, (_, index) => gift(index)).reduce(withGift, NO_CARDS);

it("shows a few, lets some wait and drops the oldest of too many", () => {
  expect(ids(many.shown)).toEqual(["g0", "g1", "g2"]);
  expect(many.waiting).toHaveLength(MAX_WAITING);
  expect(many.waiting[0]?.event_id).toBe("g30");
});

it("gives a freed place to the next", () => {
  const { shown, waiting } = withoutGift(many, "g1");
  expect(ids(shown)).toEqual(["g0", "g2", "g30"]);
  expect(shown).toHaveLength(MAX_SHOWN);
  expect(waiting).toHaveLength(MAX_WAITING - 1);
});

it("adds up what one person sends while it waits", () => {
  const burst = Array.from({ length: 10 }, (_, index) => gift(index, "same")).reduce(withGift, NO_CARDS);
  expect(burst.shown).toHaveLength(MAX_SHOWN);
  expect(burst.waiting.map(({ count }) => count)).toEqual([14]);
});
