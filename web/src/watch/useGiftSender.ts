import { messageFor } from "@shared/api/problem";
import { postGift, type GiftOrder } from "@shared/api/wallet";
import type { GiftReceipt } from "@shared/api/types";
import type { Chat } from "@shared/chat/chat";
import { newUuid } from "@shared/uuid";
import { balanceIs, reloadWallet } from "@shared/wallet/useWallet";
import { useRef, useState } from "react";
import { orderFor, outcomeUnknown, sendGift } from "./giftOrder";

interface GiftSender {
  sending: boolean;
  refusal: string | null;
  receipt: GiftReceipt | null;
  send: (giftId: string, count: number) => Promise<void>;
  forget: () => void;
}

/** Sends one gift at a time; what is shown as sent has a receipt of the ledger. */
export function useGiftSender(streamId: string, chat: Chat): GiftSender {
  const unsettled = useRef<GiftOrder | null>(null);
  const [sending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [receipt, setReceipt] = useState<GiftReceipt | null>(null);

  const send = async (giftId: string, count: number) => {
    const order = orderFor(giftId, count, unsettled.current, newUuid);
    unsettled.current = order;
    setSending(true);
    setRefusal(null);
    setReceipt(null);
    try {
      const joined = chat.view.getState().status === "open";
      const got = await sendGift(order, {
        chat: joined ? (ordered) => chat.gift(ordered) : null,
        http: (ordered) => postGift(streamId, ordered),
      });
      unsettled.current = null;
      setReceipt(got);
      balanceIs(got.balance_minor);
    } catch (error) {
      if (!outcomeUnknown(error)) unsettled.current = null;
      setRefusal(messageFor(error));
      void reloadWallet();
    } finally {
      setSending(false);
    }
  };

  const forget = () => {
    setRefusal(null);
    setReceipt(null);
  };
  return { sending, refusal, receipt, send, forget };
}
