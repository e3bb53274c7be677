export interface Backoff {
  firstMs: number;
  capMs: number;
}

/** Full jitter over the upper half: attempt 0, 1, 2 … waits around first, 2 × first, 4 × first … up to the cap. */
export function backoffMs({ firstMs, capMs }: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(capMs, firstMs * 2 ** Math.min(attempt, 20));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
