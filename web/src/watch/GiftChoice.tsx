import type { Gift } from "@shared/api/types";
import { formatAmount } from "@shared/format/money";
import { CoinIcon } from "@shared/ui/CoinIcon";

interface Props {
  gift: Gift;
  chosen: boolean;
  choose: () => void;
}

export function GiftChoice({ gift, chosen, choose }: Props) {
  return (
    <label className="gift" data-testid={`gift-${gift.gift_id}`}>
      <input type="radio" name="gift" className="visually-hidden" checked={chosen} onChange={choose} />
      <span className="gift-emoji" aria-hidden>{gift.emoji}</span>
      <span className="gift-name">{gift.name}</span>
      <span className="gift-price numbers"><CoinIcon size={13} /> {formatAmount(gift.price_minor, gift.currency)}</span>
    </label>
  );
}
