const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** A figure behind an alert, whatever its shape. */
export function figureText(value: unknown): string {
  if (typeof value === "number") return numbers.format(value);
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.map(figureText).join(", ");
  return JSON.stringify(value);
}
