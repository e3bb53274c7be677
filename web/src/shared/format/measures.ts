/** 2500000 → "2.5 Mbit/s". */
export function formatBitrate(bitrateBps: number): string {
  if (bitrateBps >= 1_000_000) return `${(bitrateBps / 1_000_000).toFixed(1)} Mbit/s`;
  return `${Math.round(bitrateBps / 1000)} kbit/s`;
}

/** Seconds as a clock: "0:42", "12:05", "1:02:03". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

function pad(part: number): string {
  return String(part).padStart(2, "0");
}

/** 12345 → "12.3K". */
export function formatCount(count: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(count);
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function formatDateTime(at: string): string {
  return dateTime.format(new Date(at));
}

export function formatTime(at: string): string {
  return timeOfDay.format(new Date(at));
}

/** snake_case of the protocol as words: "gift_velocity" → "Gift velocity". */
export function asWords(code: string): string {
  const words = code.replaceAll(/[_.]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
