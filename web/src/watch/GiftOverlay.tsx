import type { Chat } from "@shared/chat/chat";
import { useEffect, useState } from "react";
import { NO_CARDS, withGift, withoutGift } from "./giftCards";

/** Gifts as they come, small and for a moment. The chat tells the same in words. */
export function GiftOverlay({ chat }: { chat: Chat }) {
  const [cards, setCards] = useState(NO_CARDS);
  useEffect(() => chat.listen((frame) => {
    if (frame.t === "gift") setCards((before) => withGift(before, frame));
  }), [chat]);
  return (
    <div className="gift-cards" aria-hidden>
      {cards.shown.map((gift) => (
        <div key={gift.event_id} className="gift-card" data-testid="gift-card"
          onAnimationEnd={() => setCards((before) => withoutGift(before, gift.event_id))}>
          <span className="gift-card-emoji">{gift.emoji}</span>
          <span><strong>{gift.user.name}</strong><br />{gift.name}</span>
          <span className="gift-card-count numbers">×{gift.count}</span>
        </div>
      ))}
    </div>
  );
}
