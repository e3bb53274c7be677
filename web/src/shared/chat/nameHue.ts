export const HUES = 6;

/** One of a few name colours, always the same for a person. */
export function nameHue(userId: string): number {
  let sum = 0;
  for (const letter of userId) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return sum % HUES;
}
