import { create } from "zustand";
import { hasCode } from "../api/problem";
import { send } from "../api/send";
import type { Role, Tokens, User } from "../api/types";
import { exclusively } from "./lock";
import { needsRenewal, parseRecord, recordFrom, type SessionRecord } from "./record";
import { makeRenewal } from "./renewal";

const STORAGE_KEY = "sociallive.session";

interface SessionState {
  user: User | null;
  /** True after the server, not the person, ended the session. */
  ended: boolean;
  /** The sign-in dialog is open. */
  asking: boolean;
}

export const useSession = create<SessionState>(() => ({
  user: load()?.user ?? null,
  ended: false,
  asking: false,
}));

/**
 * The record is shared by all tabs. The access token is kept beside the refresh token so that a
 * reload needs no renewal: one that is broken off half way would lose the new refresh token.
 */
function load(): SessionRecord | null {
  return parseRecord(localStorage.getItem(STORAGE_KEY), Date.now());
}

function save(record: SessionRecord): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(record));
  useSession.setState({ user: record.user, ended: false });
}

function forget(ended: boolean): void {
  localStorage.removeItem(STORAGE_KEY);
  useSession.setState({ user: null, ended });
}

const renew = makeRenewal({
  load,
  save,
  end: () => forget(true),
  exclusively: (work) => exclusively("sociallive.refresh", work),
  refresh: (refreshToken) =>
    send<Tokens>("/auth/refresh", { method: "POST", body: { refresh_token: refreshToken } }),
  now: Date.now,
});

window.addEventListener("storage", (event) => {
  if (event.key !== STORAGE_KEY && event.key !== null) return;
  useSession.setState({ user: load()?.user ?? null });
});

/** A token that is good for a while yet, or null for a guest. */
export async function accessToken(): Promise<string | null> {
  const record = load();
  if (record === null) return null;
  if (!needsRenewal(record, Date.now())) return record.accessToken;
  return (await renew(record.accessToken))?.accessToken ?? null;
}

/** The token to use after the server refused one, or null when the session is over. */
export async function tokenInsteadOf(refused: string): Promise<string | null> {
  return (await renew(refused))?.accessToken ?? null;
}

/** Milliseconds until the present access token should be replaced, or null for a guest. */
export function msUntilRenewal(): number | null {
  const record = load();
  return record === null ? null : Math.max(0, record.accessExpiresAt - Date.now() - 90_000);
}

export function signedIn(tokens: Tokens): void {
  save(recordFrom(tokens, Date.now()));
  useSession.setState({ asking: false });
}

export async function signOut(): Promise<void> {
  const token = load()?.accessToken;
  forget(false);
  if (token) await send("/auth/logout", { method: "POST", token, keepalive: true }).catch(() => undefined);
}

export function askToSignIn(): void {
  useSession.setState({ asking: true });
}

export function stopAsking(): void {
  useSession.setState({ asking: false });
}

/** An admin may do all that a role may. */
export function mayActAs(user: User | null, role: Role): boolean {
  return user !== null && (user.roles.includes(role) || user.roles.includes("admin"));
}

/** Roles and name as the server has them now; on failure what was known stays. */
export async function refreshUser(): Promise<void> {
  const token = await accessToken().catch(() => null);
  if (token === null) return;
  try {
    const user = await send<User>("/auth/me", { token });
    const record = load();
    if (record?.user.user_id === user.user_id) save({ ...record, user });
  } catch (error) {
    if (hasCode(error, "expired_token", "invalid_token")) await tokenInsteadOf(token).catch(() => null);
  }
}
