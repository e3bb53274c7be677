import { tileFor } from "./tile";

/** A picture of a channel's own, drawn from its id: the server keeps no stills. */
export function Tile({ seed, name }: { seed: string; name: string }) {
  const { hue, arcs } = tileFor(seed);
  return (
    <svg className="tile" viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice" aria-hidden focusable="false">
      <rect width="320" height="180" fill={`hsl(${hue} 38% 24%)`} />
      {arcs.map(({ x, y, radius, turn }) => (
        <circle key={radius} cx={x} cy={y} r={radius} fill="none" strokeWidth="26"
          stroke={`hsl(${hue + turn} 45% 40% / 55%)`} />
      ))}
      <text x="160" y="112" textAnchor="middle" fontSize="64" fontWeight="650" fill="#fff">
        {Array.from(name)[0]?.toUpperCase() ?? ""}
      </text>
    </svg>
  );
}
