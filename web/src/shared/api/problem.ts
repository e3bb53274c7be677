/** Refusals of the HTTP API: problem+json (RFC 9457) as a typed error. */

export type ProblemCode =
  | "invalid_json" | "invalid_sdp"
  | "unauthenticated" | "invalid_token" | "expired_token" | "invalid_credentials" | "invalid_refresh_token"
  | "forbidden" | "suspended"
  | "not_found" | "unknown_stream" | "unknown_session" | "stream_offline"
  | "method_not_allowed" | "no_common_codec" | "no_media"
  | "stream_busy" | "email_taken" | "idempotency_mismatch" | "insufficient_funds" | "invalid_transition"
  | "precondition_failed" | "too_large" | "unsupported_media_type"
  | "invalid_request" | "unknown_gift" | "invalid_count"
  | "request_expired" | "account_closed" | "account_not_empty" | "duplicate_reference"
  | "hold_closed" | "already_reversed" | "not_reversible" | "unknown_hold" | "unknown_transaction"
  | "version_conflict" | "payout_open" | "batch_not_ready" | "duplicate_file" | "contradictory_result" | "invalid_signature"
  | "unknown_account" | "unknown_currency" | "amount_too_large"
  | "precondition_required" | "rate_limited" | "internal" | "unavailable" | "too_many_viewers"
  | "own_stream" | "stream_stopped"
  /** Made by this client: no answer came, or none that this protocol knows. */
  | "network" | "unexpected";

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: ProblemCode,
    message: string,
    readonly fields: Readonly<Record<string, string>> = {},
    readonly retryAfterS: number | null = null,
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

export const NETWORK_MESSAGE = "The server cannot be reached. Check your connection and try again.";

export function networkError(): ApiError {
  return new ApiError(0, "network", NETWORK_MESSAGE);
}

/** The error that an answer with a status of 400 or more stands for. */
export function problemFrom(status: number, body: unknown, retryAfter: string | null): ApiError {
  const problem = isRecord(body) ? body : {};
  const code = typeof problem["code"] === "string" ? (problem["code"] as ProblemCode) : "unexpected";
  const requestId = typeof problem["request_id"] === "string" ? problem["request_id"] : null;
  return new ApiError(status, code, messageOf(problem, status), fieldsOf(problem["errors"]),
    secondsOf(retryAfter), requestId);
}

/** What to tell a person about anything that was thrown. */
export function messageFor(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "Something went wrong. Try again.";
}

export function hasCode(error: unknown, ...codes: ProblemCode[]): error is ApiError {
  return error instanceof ApiError && codes.includes(error.code);
}

function messageOf(problem: Record<string, unknown>, status: number): string {
  for (const key of ["detail", "title"]) {
    const text = problem[key];
    if (typeof text === "string" && text !== "") return text;
  }
  return `The server answered with status ${status}. Try again.`;
}

function fieldsOf(errors: unknown): Record<string, string> {
  if (!Array.isArray(errors)) return {};
  const named = errors.filter(isRecord).filter(
    (error) => typeof error["field"] === "string" && typeof error["message"] === "string");
  return Object.fromEntries(named.map((error) => [error["field"], error["message"]]));
}

/** RFC 9110 §10.2.3: delay-seconds; the date form is not used by this server. */
function secondsOf(retryAfter: string | null): number | null {
  if (retryAfter === null || !/^\d+$/.test(retryAfter.trim())) return null;
  return Number(retryAfter);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
