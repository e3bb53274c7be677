const HIGH = 80;
const MEDIUM = 50;

/** A risk score of 0–100; the number says it, the bar helps to compare. */
export function Score({ value }: { value: number }) {
  const level = value >= HIGH ? "high" : value >= MEDIUM ? "medium" : "low";
  return (
    <span className={`score score-${level} numbers`} data-testid="risk-score">
      {value}
      <progress className="score-bar" max={100} value={value} aria-hidden />
    </span>
  );
}
