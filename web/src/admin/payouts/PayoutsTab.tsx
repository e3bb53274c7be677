import { type AdminPayout, type PayoutFilter, payouts } from "@shared/api/payouts";
import { formatDateTime } from "@shared/format/measures";
import { formatMoney } from "@shared/format/money";
import { useCursor } from "@shared/ui/useCursor";
import { Button, Segmented, type TableProps } from "antd";
import { useState } from "react";
import { ListTable } from "../ListTable";
import { DeadSteps } from "./DeadSteps";
import { PayoutDrawer } from "./PayoutDrawer";
import { PayoutFiles } from "./PayoutFiles";
import { PayoutTag } from "./PayoutTag";

const EVERY_MS = 5_000;
const FILTERS: { value: PayoutFilter; label: string }[] = [
  { value: "", label: "All" },
  { value: "review", label: "To review" },
  { value: "held", label: "To pay" },
  { value: "sent", label: "Sent" },
  { value: "attention", label: "To look at" },
];

export function PayoutsTab() {
  const [filter, setFilter] = useState<PayoutFilter>("");
  const [openedId, setOpenedId] = useState<string | null>(null);
  const pages = useCursor((cursor, signal) => payouts(filter, cursor, signal), filter, EVERY_MS);
  const columns: TableProps<AdminPayout>["columns"] = [
    {
      title: "Amount", key: "amount", className: "numbers",
      render: (_, payout) => (
        <Button type="link" size="small" className="cell-link" onClick={() => setOpenedId(payout.payout_id)}
          data-testid="open-payout">{formatMoney(payout.amount_minor, payout.currency)}</Button>
      ),
    },
    { title: "Person", dataIndex: "user_name" },
    { title: "To", dataIndex: "destination", className: "numbers" },
    { title: "State", key: "state", render: (_, payout) => <PayoutTag payout={payout} /> },
    { title: "Requested", key: "requested", render: (_, { requested_at }) => formatDateTime(requested_at) },
    { title: "Last change", key: "updated", render: (_, { updated_at }) => formatDateTime(updated_at) },
  ];
  return (
    <>
      <PayoutFiles changed={pages.reload} />
      <DeadSteps />
      <Segmented<PayoutFilter> options={FILTERS} value={filter} onChange={setFilter} aria-label="State"
        className="admin-filter" data-testid="payout-filter" />
      <ListTable pages={pages} columns={columns} rowKey="payout_id" testId="admin-payouts"
        empty={filter === "" ? "Nobody has asked for a payout yet." : "There are none of these now."} />
      {openedId !== null && (
        <PayoutDrawer key={openedId} payoutId={openedId} changed={pages.reload} close={() => setOpenedId(null)} />
      )}
    </>
  );
}
