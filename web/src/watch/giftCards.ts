import type { GiftFrame } from "@shared/chat/frames";

/**
 * What floats over the picture: a few cards at a time, the rest wait. The same gift of the same person
 * waits as one card with the counts added; too many cards are dropped, oldest first.
 */
export interface GiftCards {
  shown: readonly GiftFrame[];
  waiting: readonly GiftFrame[];
}

export const MAX_SHOWN = 3;
export const MAX_WAITING = 10;
export const NO_CARDS: GiftCards = { shown: [], waiting: [] };

export function withGift({ shown, waiting }: GiftCards, gift: GiftFrame): GiftCards {
  if (shown.length < MAX_SHOWN) return { shown: [...shown, gift], waiting };
  const alike = waiting.find((card) => card.user.user_id === gift.user.user_id && card.gift_id === gift.gift_id);
  if (!alike) return { shown, waiting: [...waiting, gift].slice(-MAX_WAITING) };
  const merged = { ...alike, count: alike.count + gift.count };
  return { shown, waiting: waiting.map((card) => (card === alike ? merged : card)) };
}

/** The card's time is over; the next that waits takes its place. */
export function withoutGift({ shown, waiting }: GiftCards, eventId: string): GiftCards {
  const left = shown.filter((gift) => gift.event_id !== eventId);
  const room = MAX_SHOWN - left.length;
  return { shown: [...left, ...waiting.slice(0, room)], waiting: waiting.slice(room) };
}
