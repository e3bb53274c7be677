import { asWords } from "@shared/format/measures";
import { formatMoney } from "@shared/format/money";

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

export interface NamedFigure {
  name: string;
  text: string;
}

/** The unit that ends a figure's name, and how a number of it reads. */
const UNITS: readonly { ending: RegExp; text: (value: number) => string }[] = [
  { ending: /_minor$/, text: (value) => (Number.isSafeInteger(value) ? formatMoney(value, "COIN") : numbers.format(value)) },
  { ending: /_ms$/, text: (value) => `${numbers.format(value)} ms` },
  { ending: /_s$/, text: (value) => `${numbers.format(value)} s` },
];

/** A figure behind an alert with its unit in the value: window_s 60 is "Window", "60 s". */
export function namedFigure(name: string, value: unknown): NamedFigure {
  const unit = typeof value === "number" ? UNITS.find(({ ending }) => ending.test(name)) : undefined;
  if (unit === undefined || typeof value !== "number") return { name: asWords(name), text: figureText(value) };
  return { name: asWords(name.replace(unit.ending, "")), text: unit.text(value) };
}

/** A value of any shape, to be read by a person. */
export function figureText(value: unknown): string {
  if (typeof value === "number") return numbers.format(value);
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.map(figureText).join(", ");
  return JSON.stringify(value);
}
