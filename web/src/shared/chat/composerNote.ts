import { formatTime } from "../format/measures";
import type { ChatStatus } from "./connection";

interface Situation {
  status: ChatStatus;
  reason: string | null;
  refusal: string | null;
  text: string;
  maxChars: number;
  timedOutUntil: string | null;
  now: number;
}

/** Characters as the server counts them: code points, not UTF-16 units. */
export function charsOf(text: string): number {
  return Array.from(text.trim()).length;
}

/** The one thing to say under the send box, the most urgent first. */
export function composerNote(at: Situation): { text: string; bad: boolean } {
  if (at.refusal) return { text: at.refusal, bad: true };
  if (at.status === "refused") return { text: at.reason ?? "This chat is closed.", bad: true };
  if (at.status === "waiting") return { text: at.reason ?? "Chat is reconnecting…", bad: at.reason !== null };
  if (at.timedOutUntil && Date.parse(at.timedOutUntil) > at.now) {
    return { text: `You may write again at ${formatTime(at.timedOutUntil)}.`, bad: true };
  }
  const left = at.maxChars - charsOf(at.text);
  if (left < 0) return { text: `${-left} characters too many`, bad: true };
  if (left <= 50) return { text: `${left} characters left`, bad: false };
  return { text: "", bad: false };
}
