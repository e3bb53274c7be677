import { hasCode } from "../api/problem";
import type { Tokens } from "../api/types";
import { needsRenewal, recordFrom, type SessionRecord } from "./record";

/** What renewal needs of its surroundings. */
export interface RenewalPorts {
  load(): SessionRecord | null;
  save(record: SessionRecord): void;
  end(): void;
  exclusively(work: () => Promise<SessionRecord | null>): Promise<SessionRecord | null>;
  refresh(refreshToken: string): Promise<Tokens>;
  now(): number;
}

/**
 * Renews the session, at most once at a time in this tab and in this browser: a refresh token that
 * is sent twice ends its whole session on the server.
 *
 * The function gives the record to go on with, or null when the session is over. It is told which
 * access token was found wanting, so that a tab that waited for another takes what that one got.
 */
export function makeRenewal(ports: RenewalPorts): (wanting: string) => Promise<SessionRecord | null> {
  let inFlight: Promise<SessionRecord | null> | null = null;

  const renew = async (wanting: string): Promise<SessionRecord | null> => {
    const current = ports.load();
    if (current === null) return null;
    if (current.accessToken !== wanting && !needsRenewal(current, ports.now())) return current;
    try {
      const record = recordFrom(await ports.refresh(current.refreshToken), ports.now());
      ports.save(record);
      return record;
    } catch (error) {
      if (!hasCode(error, "invalid_refresh_token", "invalid_token", "suspended")) throw error;
      ports.end();
      return null;
    }
  };

  return (wanting) => {
    inFlight ??= ports.exclusively(() => renew(wanting)).finally(() => {
      inFlight = null;
    });
    return inFlight;
  };
}
