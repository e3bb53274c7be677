import { trialBalance } from "@shared/api/admin";
import type { TrialBalanceRow } from "@shared/api/types";
import { formatAmount, formatMoney } from "@shared/format/money";
import { Problem } from "@shared/ui/Problem";
import { useResource } from "@shared/ui/useResource";
import { Alert, Button, Table, type TableProps } from "antd";

const EVERY_MS = 10_000;

export function LedgerTab() {
  const { data, error, loading, reload } = useResource(trialBalance, EVERY_MS);
  const currency = data?.currency ?? "COIN";
  const amount = (minor: number) => (minor === 0 ? "" : formatAmount(minor, currency));
  const columns: TableProps<TrialBalanceRow>["columns"] = [
    { title: "Code", dataIndex: "code", className: "numbers" },
    { title: "Account", dataIndex: "name" },
    { title: "Kind", dataIndex: "kind" },
    { title: "Accounts", dataIndex: "accounts", align: "right", className: "numbers" },
    { title: "Debit", key: "debit", align: "right", className: "numbers", render: (_, row) => amount(row.debit_minor) },
    { title: "Credit", key: "credit", align: "right", className: "numbers", render: (_, row) => amount(row.credit_minor) },
  ];
  const total = data && (
    <Table.Summary.Row className="ledger-total numbers">
      <Table.Summary.Cell index={0} colSpan={4}>Total</Table.Summary.Cell>
      <Table.Summary.Cell index={4} align="right">{formatAmount(data.total_debit_minor, currency)}</Table.Summary.Cell>
      <Table.Summary.Cell index={5} align="right">{formatAmount(data.total_credit_minor, currency)}</Table.Summary.Cell>
    </Table.Summary.Row>
  );
  return (
    <div className="ledger">
      {error ? <Problem error={error} retry={reload} /> : null}
      {data && (
        <Alert showIcon type={data.balanced ? "success" : "error"} data-testid="balanced" data-balanced={data.balanced}
          title={data.balanced
            ? `The ledger balances: ${formatMoney(data.total_debit_minor, currency)} on each side.`
            : `The ledger does not balance: debits ${formatMoney(data.total_debit_minor, currency)}, credits ${
              formatMoney(data.total_credit_minor, currency)}. Stop payouts and look at the log.`}
          action={<Button size="small" onClick={reload}>Refresh</Button>} />
      )}
      <Table<TrialBalanceRow> rowKey="code" columns={columns} dataSource={data?.accounts ?? []} loading={loading}
        pagination={false} scroll={{ x: "max-content" }} locale={{ emptyText: "Nothing was posted yet." }}
        data-testid="trial-balance"
        summary={() => total} />
    </div>
  );
}
