import { call } from "./call";

export type HoldAccount = "wallet" | "earnings_available";

export interface OpenHold {
  hold_id: string;
  account: HoldAccount;
  amount_minor: number;
  captured_minor: number;
  currency: string;
  reason: string;
  placed_by: string | null;
  created_at: string;
  expires_at: string;
}

export interface NewHold {
  request_id: string;
  account: HoldAccount;
  amount_minor: number;
  expires_at: string;
  reason: string;
}

export async function openHolds(userId: string, signal?: AbortSignal): Promise<OpenHold[]> {
  return (await call<{ holds: OpenHold[] }>(`/api/admin/users/${userId}/holds`, { signal })).holds;
}

export function placeHold(userId: string, hold: NewHold): Promise<unknown> {
  return call<unknown>(`/api/admin/users/${userId}/holds`, { method: "POST", body: hold });
}

export function releaseHold(holdId: string, release: { request_id: string; reason: string }): Promise<unknown> {
  return call<unknown>(`/api/admin/holds/${holdId}/release`, { method: "POST", body: release });
}
