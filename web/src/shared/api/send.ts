import { ApiError, networkError, problemFrom } from "./problem";

export interface Outgoing {
  method?: string;
  body?: unknown;
  token?: string | null;
  signal?: AbortSignal | undefined;
  keepalive?: boolean;
}

/** One JSON request, one answer. Raises ApiError; an aborted request raises the signal's reason. */
export async function send<Answer>(path: string, outgoing: Outgoing = {}): Promise<Answer> {
  const headers: Record<string, string> = { Accept: "application/json, application/problem+json" };
  if (outgoing.body !== undefined) headers["Content-Type"] = "application/json";
  if (outgoing.token) headers["Authorization"] = `Bearer ${outgoing.token}`;
  const response = await reach(path, {
    method: outgoing.method ?? "GET",
    headers,
    body: outgoing.body === undefined ? null : JSON.stringify(outgoing.body),
    signal: outgoing.signal ?? null,
    keepalive: outgoing.keepalive ?? false,
  });
  if (response.status === 204) return undefined as Answer;
  const body = await response.json().catch(() => undefined);
  if (body === undefined) {
    throw new ApiError(response.status, "unexpected", "The server's answer could not be read. Try again.");
  }
  return body as Answer;
}

/** fetch whose refusals and network failures are ApiErrors. */
export async function reach(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    init.signal?.throwIfAborted();
    throw networkError();
  }
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw problemFrom(response.status, body, response.headers.get("Retry-After"));
  }
  return response;
}
