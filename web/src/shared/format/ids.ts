const UUIDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-([0-9a-f]{12})/gi;

/** UUIDs in a text cut to their last letters: of version 7 the first are a time and alike. */
export function shortIds(text: string): string {
  return text.replaceAll(UUIDS, (_, tail: string) => `…${tail.slice(-8)}`);
}
