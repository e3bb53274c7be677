import { accessToken, tokenInsteadOf } from "../session/session";
import { hasCode } from "./problem";
import { send, type Outgoing } from "./send";

type Query = Record<string, string | number | null | undefined>;

export interface Call extends Omit<Outgoing, "token"> {
  query?: Query;
}

/** A request as the signed-in person (or a guest); an expired token is renewed and the call repeated once. */
export async function call<Answer>(path: string, options: Call = {}): Promise<Answer> {
  const { query, ...outgoing } = options;
  const url = path + queryString(query);
  return await withToken((token) => send<Answer>(url, { ...outgoing, token }));
}

/** Runs `work` with an access token; when that is refused as spent, once more with a new one. */
export async function withToken<Result>(work: (token: string | null) => Promise<Result>): Promise<Result> {
  const token = await accessToken();
  try {
    return await work(token);
  } catch (error) {
    if (token === null || !hasCode(error, "expired_token", "invalid_token")) throw error;
    return await work(await tokenInsteadOf(token));
  }
}

export function queryString(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (pairs.length === 0) return "";
  return `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)]))}`;
}
