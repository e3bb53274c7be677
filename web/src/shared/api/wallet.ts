import { call } from "./call";
import type { GiftCatalogue, GiftReceipt, Statement, StatementAccount, Wallet } from "./types";

export function giftCatalogue(signal?: AbortSignal): Promise<GiftCatalogue> {
  return call<GiftCatalogue>("/api/gifts", { signal });
}

export function wallet(signal?: AbortSignal): Promise<Wallet> {
  return call<Wallet>("/api/me/wallet", { signal });
}

export function myStatement(
  account: StatementAccount, cursor: string | null, signal?: AbortSignal,
): Promise<Statement> {
  return call<Statement>("/api/me/statement", { query: { account, cursor, limit: 20 }, signal });
}

export interface GiftOrder {
  request_id: string;
  gift_id: string;
  count: number;
}

export function postGift(streamId: string, order: GiftOrder): Promise<GiftReceipt> {
  return call<GiftReceipt>(`/api/streams/${streamId}/gifts`, { method: "POST", body: order });
}
