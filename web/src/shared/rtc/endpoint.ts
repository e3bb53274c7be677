import { ApiError, hasCode } from "../api/problem";
import { reach } from "../api/send";

/** What a WHIP or WHEP endpoint gave for an offer. */
export interface Negotiated {
  answer: string;
  /** The session's own address: DELETE ends it. */
  session: string;
}

/** RFC 9725 §4.2: the offer is POSTed, 201 brings the answer and the session's Location. */
export async function postOffer(
  endpoint: string, offer: string, token: string | null, signal: AbortSignal,
): Promise<Negotiated> {
  const headers: Record<string, string> = { "Content-Type": "application/sdp" };
  if (token !== null) headers["Authorization"] = `Bearer ${token}`;
  const response = await reach(endpoint, { method: "POST", headers, body: offer, signal });
  const location = response.headers.get("Location");
  if (response.status !== 201 || location === null) {
    throw new ApiError(response.status, "unexpected", "The media server's answer could not be read. Try again.");
  }
  return { answer: await response.text(), session: new URL(location, response.url).href };
}

const FRAGMENT = "application/trickle-ice-sdpfrag";
/** Whoever watches the same stream asks at the same time; this much apart they don't hurt. */
const ASK_SPREAD_MS = 500;

/** Whether the server has lost a session; asked in a moment. What can't be found out counts as no. */
export async function isLost(session: string, token: () => Promise<string | null>): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * ASK_SPREAD_MS));
  const bearer = await token();
  const headers: Record<string, string> = { "Content-Type": FRAGMENT, "If-Match": "*" };
  if (bearer !== null) headers["Authorization"] = `Bearer ${bearer}`;
  try {
    await reach(session, { method: "PATCH", headers, body: "a=end-of-candidates" });
  } catch (error) {
    return hasCode(error, "unknown_session");
  }
  return false;
}

/** Ends a session. Survives the page's own end; a session that is gone already is as good. */
export async function endSession(session: string, token: string | null): Promise<void> {
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  try {
    const response = await reach(session, { method: "DELETE", headers, keepalive: true });
    await response.arrayBuffer();
  } catch {
    return;
  }
}
