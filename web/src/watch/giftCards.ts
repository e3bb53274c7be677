import type { GiftFrame } from "@shared/chat/frames";

/** What floats over the picture: a few cards at a time, the rest wait; too many are dropped, oldest first. */
export interface GiftCards {
  shown: readonly GiftFrame[];
  waiting: readonly GiftFrame[];
}

export const MAX_SHOWN = 3;
export const MAX_WAITING = 20;
export const NO_CARDS: GiftCards = { shown: [], waiting: [] };

export function withGift({ shown, waiting }: GiftCards, gift: GiftFrame): GiftCards {
  if (shown.length < MAX_SHOWN) return { shown: [...shown, gift], waiting };
  return { shown, waiting: [...waiting, gift].slice(-MAX_WAITING) };
}

/** The card's time is over; the next that waits takes its place. */
export function withoutGift({ shown, waiting }: GiftCards, eventId: string): GiftCards {
  const left = shown.filter((gift) => gift.event_id !== eventId);
  const room = MAX_SHOWN - left.length;
  return { shown: [...left, ...waiting.slice(0, room)], waiting: waiting.slice(room) };
}
