import type { StreamState } from "../api/types";
import "./badge.css";

const WORDS: Record<StreamState, string> = { live: "Live", interrupted: "Interrupted", offline: "Offline" };

export function LiveBadge({ state }: { state: StreamState }) {
  return <span className={`badge badge-${state}`} data-testid="stream-state">{WORDS[state]}</span>;
}
