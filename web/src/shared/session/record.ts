import type { Tokens, User } from "../api/types";

/** What a signed-in browser keeps; times are milliseconds of its own clock. */
export interface SessionRecord {
  accessToken: string;
  accessExpiresAt: number;
  refreshToken: string;
  refreshExpiresAt: number;
  user: User;
}

/** An access token is renewed this long before it runs out. */
export const RENEW_BEFORE_MS = 60_000;

export function recordFrom(tokens: Tokens, now: number): SessionRecord {
  return {
    accessToken: tokens.access_token,
    accessExpiresAt: now + tokens.expires_in * 1000,
    refreshToken: tokens.refresh_token,
    refreshExpiresAt: now + tokens.refresh_expires_in * 1000,
    user: tokens.user,
  };
}

export function needsRenewal(record: SessionRecord, now: number): boolean {
  return record.accessExpiresAt - now <= RENEW_BEFORE_MS;
}

/** The record in a stored text, or null when there is none that is still of use. */
export function parseRecord(text: string | null, now: number): SessionRecord | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<SessionRecord> | null;
    const whole =
      typeof value?.accessToken === "string" && typeof value.refreshToken === "string" &&
      typeof value.accessExpiresAt === "number" && typeof value.refreshExpiresAt === "number" &&
      typeof value.user?.user_id === "string" && Array.isArray(value.user.roles);
    return whole && (value.refreshExpiresAt ?? 0) > now ? (value as SessionRecord) : null;
  } catch {
    return null;
  }
}
