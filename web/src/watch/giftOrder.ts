import { ApiError } from "@shared/api/problem";
import type { GiftOrder } from "@shared/api/wallet";
import type { GiftReceipt } from "@shared/api/types";
import { ChatInterrupted } from "@shared/chat/refusal";

/** The ways a gift may be sent; both take the same order and know each other's request_id. */
export interface GiftWays {
  chat: ((order: GiftOrder) => Promise<GiftReceipt>) | null;
  http: (order: GiftOrder) => Promise<GiftReceipt>;
}

/** By chat; where that breaks off, by HTTP with the same request_id, so that it is posted once. */
export async function sendGift(order: GiftOrder, ways: GiftWays): Promise<GiftReceipt> {
  if (ways.chat === null) return await ways.http(order);
  try {
    return await ways.chat(order);
  } catch (error) {
    if (!(error instanceof ChatInterrupted)) throw error;
    return await ways.http(order);
  }
}

/** True when the order may or may not have been posted: trying again must keep its request_id. */
export function outcomeUnknown(error: unknown): boolean {
  if (error instanceof ChatInterrupted) return true;
  return error instanceof ApiError && (error.code === "network" || error.code === "unexpected" || error.status >= 500);
}

/** The order to send: the unsettled one when it asks for the same, else a new one. */
export function orderFor(
  giftId: string, count: number, unsettled: GiftOrder | null, newId: () => string,
): GiftOrder {
  if (unsettled?.gift_id === giftId && unsettled.count === count) return unsettled;
  return { request_id: newId(), gift_id: giftId, count };
}
