import { formatMoney } from "@shared/format/money";
import type { Gift, GiftReceipt } from "@shared/api/types";

interface Situation {
  refusal: string | null;
  receipt: GiftReceipt | null;
  chosen: Gift | null;
  total: number;
  /** null for a guest and until it is known. */
  balance: number | null;
  isOwner: boolean;
  failed: boolean;
}

/** The one line under the gifts. A balance that looks too small does not forbid sending: the ledger decides. */
export function giftNote(at: Situation): { text: string; bad: boolean } {
  if (at.refusal) return { text: at.refusal, bad: true };
  if (at.receipt) {
    return { text: `Sent. You have ${formatMoney(at.receipt.balance_minor, at.receipt.currency)} left.`, bad: false };
  }
  if (at.failed && at.chosen === null) return { text: "The gifts could not be loaded.", bad: true };
  if (at.isOwner) return { text: "This is your own stream: gifts come from others.", bad: false };
  if (at.chosen !== null && at.balance !== null && at.balance < at.total) {
    return { text: `You need ${formatMoney(at.total - at.balance, at.chosen.currency)} more for this.`, bad: true };
  }
  return { text: "", bad: false };
}
