import type { AdminPayout, PayoutState } from "@shared/api/payouts";
import { Tag } from "antd";

const COLORS: Partial<Record<PayoutState, string>> = {
  review: "warning", settled: "success", failed: "error", returned: "error", rejected: "error", cancelled: "default",
};

export function PayoutTag({ payout }: { payout: Pick<AdminPayout, "state" | "attention"> }) {
  return (
    <span className="tags">
      <Tag color={COLORS[payout.state] ?? "processing"} data-testid="payout-state">{payout.state}</Tag>
      {payout.attention !== null && <Tag color="error">look at it</Tag>}
    </span>
  );
}
