export function CoinIcon({ size = 16 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden focusable="false">
      <circle cx="8" cy="8" r="7" fill="#e9b949" />
      <circle cx="8" cy="8" r="5" fill="none" stroke="#9c6f12" strokeWidth="1.2" />
      <path d="M8 5.2v5.6" stroke="#9c6f12" strokeWidth="1.6" strokeLinecap="round" />
    </svg>
  );
}
