/** The bodies of docs/PROTOCOL.md. Money is an integer of minor units beside its currency. */

export type Role = "viewer" | "streamer" | "moderator" | "admin";
export const ROLES: readonly Role[] = ["viewer", "streamer", "moderator", "admin"];

export interface User {
  user_id: string;
  email: string;
  display_name: string;
  roles: Role[];
  status: "active" | "suspended";
  created_at: string;
}

export interface Tokens {
  access_token: string;
  token_type: "Bearer";
  expires_in: number;
  refresh_token: string;
  refresh_expires_in: number;
  user: User;
}

export type StreamState = "offline" | "live" | "interrupted";

export interface Stream {
  stream_id: string;
  title: string;
  state: StreamState;
  viewers: number;
  started_at: string | null;
  owner: { user_id: string; display_name: string };
  whep_url: string;
}

export interface StreamWithKey extends Stream {
  stream_key: string;
  whip_url: string;
}

export interface StreamTrackStats {
  kind: "audio" | "video";
  codec: string;
  bitrate_bps: number;
  packets: number;
  lost: number;
}

export interface StreamStats {
  state: StreamState;
  viewers: number;
  uptime_s: number;
  tracks: StreamTrackStats[];
  packets_forwarded: number;
  packets_dropped: number;
  packets_resent: number;
  keyframe_requests: number;
}

export interface Gift {
  gift_id: string;
  name: string;
  emoji: string;
  price_minor: number;
  currency: string;
}

export interface GiftCatalogue {
  gifts: Gift[];
  max_count: number;
}

export interface GiftReceipt {
  request_id: string;
  transaction_id: string;
  gift_id: string;
  count: number;
  total_minor: number;
  currency: string;
  balance_minor: number;
  posted_at: string;
}

/** `held_minor` of the balance is kept back by holds. */
export interface Wallet {
  balance_minor: number;
  held_minor: number;
  earnings_minor: number;
  earnings_available_minor: number;
  currency: string;
}

export type StatementAccount = "wallet" | "earnings" | "earnings_available";

export interface StatementLine {
  entry_id: number;
  transaction_id: string;
  kind: string;
  amount_minor: number;
  balance_minor: number;
  description: string;
  created_at: string;
}

export interface Statement {
  account_id: string;
  currency: string;
  balance_minor: number;
  lines: StatementLine[];
  next_cursor: string | null;
}

export interface TrialBalanceRow {
  code: string;
  name: string;
  kind: string;
  debit_minor: number;
  credit_minor: number;
  accounts: number;
}

export interface TrialBalance {
  currency: string;
  accounts: TrialBalanceRow[];
  total_debit_minor: number;
  total_credit_minor: number;
  balanced: boolean;
}

export type AlertStatus = "open" | "assigned" | "resolved";
export type AlertOutcome = "cleared" | "confirmed";

export interface AlertReason {
  rule: string;
  score: number;
  explanation: string;
  figures: Record<string, unknown>;
}

export interface Alert {
  alert_id: string;
  user_id: string;
  user_name: string;
  alert_type: string;
  risk_score: number;
  status: AlertStatus;
  reasons: AlertReason[];
  event_ids: string[];
  assigned_to: string | null;
  outcome: AlertOutcome | null;
  note: string | null;
  created_at: string;
  updated_at: string;
  resolved_at: string | null;
}

export interface AuditRecord {
  record_id: string;
  actor_id: string | null;
  action: string;
  subject: string;
  details: Record<string, unknown>;
  created_at: string;
}

export interface ServiceConfig {
  chat_url: string;
  currency: string;
  version: string;
}

/** One page of a list that is read with a cursor. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}
