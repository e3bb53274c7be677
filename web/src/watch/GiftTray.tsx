import { giftCatalogue } from "@shared/api/wallet";
import type { Gift, Stream } from "@shared/api/types";
import type { Chat } from "@shared/chat/chat";
import { formatAmount, formatMoney } from "@shared/format/money";
import { askToSignIn, useSession } from "@shared/session/session";
import { CoinIcon } from "@shared/ui/CoinIcon";
import { useResource } from "@shared/ui/useResource";
import { useWallet } from "@shared/wallet/useWallet";
import { Button, InputNumber } from "antd";
import { useState } from "react";
import { giftNote } from "./giftNote";
import { GiftChoice } from "./GiftChoice";
import { useGiftSender } from "./useGiftSender";
import "./gifts.css";

export function GiftTray({ stream, chat }: { stream: Stream; chat: Chat }) {
  const user = useSession((state) => state.user);
  const wallet = useWallet();
  const { data: catalogue, error, reload } = useResource(giftCatalogue);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [count, setCount] = useState(1);
  const sender = useGiftSender(stream.stream_id, chat);

  const chosen: Gift | null = catalogue?.gifts.find((gift) => gift.gift_id === chosenId) ?? catalogue?.gifts[0] ?? null;
  const total = chosen ? chosen.price_minor * count : 0;
  const isOwner = user?.user_id === stream.owner.user_id;
  const note = giftNote({ refusal: sender.refusal, receipt: sender.receipt, chosen, total, isOwner, failed: Boolean(error),
    balance: wallet && wallet.balance_minor - wallet.held_minor });

  const choose = (giftId: string) => {
    sender.forget();
    setChosenId(giftId);
  };
  const changeCount = (wanted: number) => {
    // The field reports its value again when it loses focus: that is no change.
    if (wanted === count) return;
    sender.forget();
    setCount(wanted);
  };

  return (
    <section className="gifts panel" aria-label="Gifts">
      <div className="gifts-choices" role="radiogroup" aria-label="Gift">
        {catalogue?.gifts.map((gift) => (
          <GiftChoice key={gift.gift_id} gift={gift} chosen={gift === chosen}
            choose={() => choose(gift.gift_id)} />
        ))}
      </div>
      <div className="gifts-send">
        {wallet && (
          <span className="gifts-balance numbers" title="Your balance">
            <CoinIcon /> <span className="visually-hidden">Your balance: </span>
            <span data-testid="balance">{formatAmount(wallet.balance_minor, wallet.currency)}</span>
          </span>
        )}
        <InputNumber className="gifts-count" min={1} max={catalogue?.max_count ?? 1} precision={0} value={count} prefix="×"
          changeOnWheel={false} onChange={(value) => changeCount(value ?? 1)} aria-label="How many"
          data-testid="gift-count" />
        {user === null ? (
          <Button type="primary" onClick={askToSignIn} data-testid="gift-sign-in">Sign in to send</Button>
        ) : (
          <Button type="primary" loading={sender.sending} disabled={!chosen || isOwner} data-testid="gift-send"
            onClick={() => chosen && void sender.send(chosen.gift_id, count)}>
            {chosen ? `Send for ${formatMoney(total, chosen.currency)}` : "Send"}
          </Button>
        )}
      </div>
      <p className={`gifts-note ${note.bad ? "gifts-note-bad" : "muted"}`} role="status" data-testid="gift-note">
        {note.text}
        {error && !catalogue ? <Button type="link" size="small" onClick={reload}>Try again</Button> : null}
      </p>
    </section>
  );
}
