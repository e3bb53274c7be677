/** Amounts are integers of minor units; digits are moved as text, never divided. */

/** Minor digits of currencies that Intl does not know. */
const OWN_CURRENCIES: Readonly<Record<string, { digits: number; one: string; many: string }>> = {
  COIN: { digits: 0, one: "coin", many: "coins" },
};

/** The amount with its unit: "1,234 coins", "€12.50". Raises RangeError for anything but a safe integer. */
export function formatMoney(amountMinor: number, currency: string): string {
  const own = OWN_CURRENCIES[currency];
  if (own) return `${formatAmount(amountMinor, currency)} ${Math.abs(amountMinor) === 1 ? own.one : own.many}`;
  return `${formatAmount(amountMinor, currency)} ${currency}`;
}

/** The amount alone, with group separators: "1,234", "12.50". */
export function formatAmount(amountMinor: number, currency: string): string {
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError(`not an amount of minor units: ${amountMinor}`);
  const digits = minorDigits(currency);
  const text = String(Math.abs(amountMinor)).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = digits === 0 ? "" : `.${text.slice(-digits)}`;
  const sign = amountMinor < 0 ? "−" : "";
  return sign + whole.replaceAll(/\B(?=(\d{3})+$)/g, ",") + fraction;
}

/** A change of balance: its sign is always shown. */
export function formatChange(amountMinor: number, currency: string): string {
  return (amountMinor > 0 ? "+" : "") + formatAmount(amountMinor, currency);
}

export function minorDigits(currency: string): number {
  const own = OWN_CURRENCIES[currency];
  if (own) return own.digits;
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}
