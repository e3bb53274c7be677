import { cancelPayout, myPayouts, type Payout, payoutTerms } from "@shared/api/payouts";
import { messageFor } from "@shared/api/problem";
import { formatDateTime } from "@shared/format/measures";
import { formatMoney } from "@shared/format/money";
import { Problem } from "@shared/ui/Problem";
import { useResource } from "@shared/ui/useResource";
import { Alert, Button, Tag } from "antd";
import { useState } from "react";
import { Figure } from "./Figure";
import { PayoutForm } from "./PayoutForm";

const EVERY_MS = 15_000;
const COLORS: Record<Payout["status"], string> = {
  pending: "processing", sending: "processing", paid: "success", failed: "error", returned: "error",
  cancelled: "default", rejected: "error",
};

/** What was earned, what of it can be paid out, and what became of payouts. */
export function PayoutsCard() {
  const terms = useResource(payoutTerms, EVERY_MS);
  const payouts = useResource(myPayouts, EVERY_MS);
  const [error, setError] = useState<string | null>(null);
  const reload = () => {
    terms.reload();
    payouts.reload();
  };
  const cancel = async (payout: Payout) => {
    setError(null);
    try {
      await cancelPayout(payout.payout_id);
    } catch (refusal) {
      setError(messageFor(refusal));
    }
    reload();
  };
  const known = terms.data;
  const money = (minor: number) => (known ? formatMoney(minor, known.currency) : "–");
  const underWay = payouts.data?.some(({ status }) => status === "pending" || status === "sending") ?? false;
  return (
    <section className="payouts panel" aria-label="Payouts">
      <h2>Payouts</h2>
      {terms.error && !known ? <Problem error={terms.error} retry={reload} /> : null}
      <dl>
        <Figure name="Available" value={known ? money(known.available_minor) : "–"} testId="payout-available" />
        <Figure name="Pending" value={known ? money(known.pending_minor) : "–"} testId="payout-pending" />
      </dl>
      {known && (
        <p className="muted">
          Earnings become available {afterDays(known.maturity_days)}. A payout is of at least {money(known.min_minor)}.
        </p>
      )}
      {known && !underWay && known.available_minor >= known.min_minor && <PayoutForm terms={known} requested={reload} />}
      {error && <Alert type="error" showIcon title={error} />}
      <ul className="payout-list" data-testid="payouts">
        {payouts.data?.map((payout) => (
          <li key={payout.payout_id}>
            <span className="payout-what">
              <strong className="numbers">{formatMoney(payout.amount_minor, payout.currency)}</strong>
              <span className="muted"> to {payout.destination}, {formatDateTime(payout.requested_at)}</span>
              {payout.reason && <span className="payout-reason">{payout.reason}</span>}
            </span>
            <Tag color={COLORS[payout.status]} data-testid="payout-status">{payout.status}</Tag>
            {payout.can_cancel && (
              <Button size="small" onClick={() => void cancel(payout)} data-testid="cancel-payout">Cancel</Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function afterDays(days: number): string {
  if (days === 0) return "soon after they were earned";
  return days === 1 ? "a day after they were earned" : `${days} days after they were earned`;
}
