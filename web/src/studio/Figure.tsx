export function Figure({ name, value, testId }: { name: string; value: string; testId: string }) {
  return (
    <div className="figure">
      <dt className="muted">{name}</dt>
      <dd className="numbers" data-testid={testId}>{value}</dd>
    </div>
  );
}
