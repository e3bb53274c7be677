/** Payouts of earnings: the caller's own, and all of them for admins. */

import { call, withToken } from "./call";
import { reach } from "./send";
import type { Page } from "./types";

const MINE = "/api/me/payouts";
const ADMIN = "/api/admin";
const LIMIT = 20;

export interface PayoutTerms {
  available_minor: number;
  pending_minor: number;
  currency: string;
  min_minor: number;
  max_minor: number;
  maturity_days: number;
}

export type PayoutStatus = "pending" | "sending" | "paid" | "failed" | "returned" | "cancelled" | "rejected";

export interface Payout {
  payout_id: string;
  amount_minor: number;
  currency: string;
  destination: string;
  status: PayoutStatus;
  reason: string | null;
  can_cancel: boolean;
  requested_at: string;
  updated_at: string;
}

export interface PayoutOrder {
  request_id: string;
  amount_minor: number;
  destination: string;
}

export function payoutTerms(signal?: AbortSignal): Promise<PayoutTerms> {
  return call<PayoutTerms>("/api/me/payout-terms", { signal });
}

export async function myPayouts(signal?: AbortSignal): Promise<Payout[]> {
  return (await call<{ payouts: Payout[] }>(MINE, { query: { limit: 5 }, signal })).payouts;
}

export function requestPayout(order: PayoutOrder): Promise<{ payout_id: string }> {
  return call<{ payout_id: string }>(MINE, { method: "POST", body: order });
}

export function cancelPayout(payoutId: string): Promise<Payout> {
  return call<Payout>(`${MINE}/${payoutId}/cancel`, { method: "POST" });
}

export type PayoutState =
  | "requested" | "review" | "approved" | "held" | "sending" | "captured" | "sent"
  | "settled" | "failed" | "returned" | "cancelled" | "rejected";

export interface AdminPayout {
  payout_id: string;
  user_id: string;
  user_name: string;
  amount_minor: number;
  currency: string;
  destination: string;
  state: PayoutState;
  provider: string | null;
  batch_id: string | null;
  reference: string | null;
  reason: string | null;
  attention: string | null;
  requested_at: string;
  updated_at: string;
}

export interface StoredEvent {
  version: number;
  type: string;
  data: Record<string, string | number | null>;
  created_at: string;
}

export interface AdminPayoutDetails extends AdminPayout {
  history: StoredEvent[];
}

/** Which payouts: of a state, those that need attention, or all. */
export type PayoutFilter = PayoutState | "attention" | "";

export async function payouts(
  filter: PayoutFilter, cursor: string | null, signal?: AbortSignal,
): Promise<Page<AdminPayout>> {
  const query = filter === "attention" ? { attention: "true" } : { state: filter };
  const answer = await call<{ payouts: AdminPayout[]; next_cursor: string | null }>(
    `${ADMIN}/payouts`, { query: { ...query, cursor, limit: LIMIT }, signal });
  return { items: answer.payouts, next_cursor: answer.next_cursor };
}

export function payoutDetails(payoutId: string, signal?: AbortSignal): Promise<AdminPayoutDetails> {
  return call<AdminPayoutDetails>(`${ADMIN}/payouts/${payoutId}`, { signal });
}

export type Judgement = "approve" | "hold" | "reject";

export function judgePayout(payoutId: string, judgement: Judgement, reason: string): Promise<AdminPayout> {
  return call<AdminPayout>(`${ADMIN}/payouts/${payoutId}/${judgement}`, { method: "POST", body: { reason } });
}

export interface PayoutResult {
  status: "settled" | "failed" | "returned";
  reference: string | null;
  reason: string | null;
}

export function recordResult(payoutId: string, result: PayoutResult): Promise<AdminPayout> {
  return call<AdminPayout>(`${ADMIN}/payouts/${payoutId}/result`, { method: "POST", body: result });
}

export interface PayoutBatch {
  batch_id: string;
  created_at: string;
  sealed_at: string | null;
  lines: number | null;
  total_minor: number | null;
}

export function makeBatch(batchId: string): Promise<PayoutBatch> {
  return call<PayoutBatch>(`${ADMIN}/payout-batches/${batchId}`, { method: "PUT" });
}

/** The file of payouts, as the bank gets it. */
export function batchFile(batchId: string): Promise<Blob> {
  return withToken(async (token) => {
    const response = await reach(`${ADMIN}/payout-batches/${batchId}/file`, { headers: bearer(token) });
    return response.blob();
  });
}

export interface ImportReport {
  import_id: string;
  lines: number;
  news: number;
  known: number;
  refused: { payout_id: string; code: string; message: string }[];
}

export function takeResults(importId: string, file: Blob): Promise<ImportReport> {
  return withToken(async (token) => {
    const response = await reach(`${ADMIN}/payout-imports/${importId}`, {
      method: "PUT", body: file, headers: { ...bearer(token), "Content-Type": "text/csv" },
    });
    return (await response.json()) as ImportReport;
  });
}

export interface DeadStep {
  task_id: string;
  stream_id: string;
  step: string;
  attempts: number;
  last_error: string | null;
  finished_at: string | null;
}

export async function deadSteps(signal?: AbortSignal): Promise<DeadStep[]> {
  const query = { state: "dead", limit: LIMIT };
  return (await call<{ tasks: DeadStep[] }>(`${ADMIN}/sagas/tasks`, { query, signal })).tasks;
}

export function retryStep(taskId: string): Promise<DeadStep> {
  return call<DeadStep>(`${ADMIN}/sagas/tasks/${taskId}/retry`, { method: "POST" });
}

function bearer(token: string | null): Record<string, string> {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
