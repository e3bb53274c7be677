export interface TileArc {
  x: number;
  y: number;
  radius: number;
  /** Degrees away from the tile's hue. */
  turn: number;
}

export interface TileDrawing {
  hue: number;
  arcs: TileArc[];
}

/** The same drawing for the same seed, everywhere. */
export function tileFor(seed: string): TileDrawing {
  const next = numbersFrom(seed);
  const hue = next(360);
  const [x, y] = [next(320), next(180)];
  return { hue, arcs: [50, 110, 170].map((radius) => ({ x, y, radius, turn: next(50) - 25 })) };
}

/** FNV-1a over the seed, then a small xorshift: whole numbers below `bound`. */
function numbersFrom(seed: string): (bound: number) => number {
  let state = 0x811c9dc5;
  for (const letter of seed) state = Math.imul(state ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
