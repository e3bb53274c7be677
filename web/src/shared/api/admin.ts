import { call } from "./call";
import type {
  Alert, AlertOutcome, AlertStatus, AuditRecord, Page, Role, Statement, StatementAccount, Stream,
  TrialBalance, User,
} from "./types";

const BASE = "/api/admin";
const LIMIT = 20;

export async function activeStreams(signal?: AbortSignal): Promise<Stream[]> {
  return (await call<{ streams: Stream[] }>(`${BASE}/streams`, { signal })).streams;
}

export function stopStream(streamId: string, reason: string): Promise<void> {
  return call<void>(`${BASE}/streams/${streamId}/stop`, { method: "POST", body: { reason } });
}

export async function users(
  query: string, cursor: string | null, signal?: AbortSignal,
): Promise<Page<User>> {
  const answer = await call<{ users: User[]; next_cursor: string | null }>(
    `${BASE}/users`, { query: { query, cursor, limit: LIMIT }, signal });
  return { items: answer.users, next_cursor: answer.next_cursor };
}

export function suspendUser(userId: string, reason: string): Promise<User> {
  return call<User>(`${BASE}/users/${userId}/suspend`, { method: "POST", body: { reason } });
}

export function reinstateUser(userId: string): Promise<User> {
  return call<User>(`${BASE}/users/${userId}/reinstate`, { method: "POST" });
}

export function setRoles(userId: string, roles: Role[]): Promise<User> {
  return call<User>(`${BASE}/users/${userId}/roles`, { method: "PUT", body: { roles } });
}

export interface Grant {
  request_id: string;
  amount_minor: number;
  reason: string;
}

export interface GrantReceipt {
  transaction_id: string;
  balance_minor: number;
  currency: string;
}

export function grantCoins(userId: string, grant: Grant): Promise<GrantReceipt> {
  return call<GrantReceipt>(`${BASE}/users/${userId}/grants`, { method: "POST", body: grant });
}

export function userStatement(
  userId: string, account: StatementAccount, cursor: string | null, signal?: AbortSignal,
): Promise<Statement> {
  return call<Statement>(`${BASE}/users/${userId}/statement`, { query: { account, cursor, limit: LIMIT }, signal });
}

export function trialBalance(signal?: AbortSignal): Promise<TrialBalance> {
  return call<TrialBalance>(`${BASE}/ledger/trial-balance`, { signal });
}

export async function alerts(
  status: AlertStatus | "", cursor: string | null, signal?: AbortSignal,
): Promise<Page<Alert>> {
  const answer = await call<{ alerts: Alert[]; next_cursor: string | null }>(
    `${BASE}/aml/alerts`, { query: { status, cursor, limit: LIMIT }, signal });
  return { items: answer.alerts, next_cursor: answer.next_cursor };
}

export function assignAlert(alertId: string, userId: string | null): Promise<Alert> {
  return call<Alert>(`${BASE}/aml/alerts/${alertId}/assign`, { method: "POST", body: { user_id: userId } });
}

export function resolveAlert(alertId: string, outcome: AlertOutcome, note: string): Promise<Alert> {
  return call<Alert>(`${BASE}/aml/alerts/${alertId}/resolve`, { method: "POST", body: { outcome, note } });
}

export async function auditRecords(cursor: string | null, signal?: AbortSignal): Promise<Page<AuditRecord>> {
  const answer = await call<{ records: AuditRecord[]; next_cursor: string | null }>(
    `${BASE}/audit`, { query: { cursor, limit: LIMIT }, signal });
  return { items: answer.records, next_cursor: answer.next_cursor };
}
