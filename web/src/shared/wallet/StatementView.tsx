import { Table, type TableProps } from "antd";
import { useState } from "react";
import type { Statement, StatementLine } from "../api/types";
import { asWords, formatDateTime } from "../format/measures";
import { formatAmount, formatChange, formatMoney } from "../format/money";
import { CursorButtons } from "../ui/CursorButtons";
import { Problem } from "../ui/Problem";
import { useCursor } from "../ui/useCursor";
import "./statement.css";

interface Props {
  /** Must be stable; a new function starts from the first page. */
  read: (cursor: string | null, signal: AbortSignal) => Promise<Statement>;
}

/** An account's lines, newest first, a page at a time. */
export function StatementView({ read }: Props) {
  const [currency, setCurrency] = useState("COIN");
  const [balance, setBalance] = useState<number | null>(null);
  const pages = useCursor(async (cursor, signal) => {
    const statement = await read(cursor, signal);
    setCurrency(statement.currency);
    setBalance(statement.balance_minor);
    return { items: statement.lines, next_cursor: statement.next_cursor };
  }, read);
  const columns: TableProps<StatementLine>["columns"] = [
    {
      title: "What", key: "what",
      render: (_, line) => (
        <>
          {line.description || asWords(line.kind)}
          <div className="muted statement-at">{formatDateTime(line.created_at)}</div>
        </>
      ),
    },
    {
      title: "Change", key: "change", align: "right", className: "numbers",
      render: (_, line) => (
        <span className={line.amount_minor > 0 ? "statement-in" : ""}>{formatChange(line.amount_minor, currency)}</span>
      ),
    },
    {
      title: "Balance", key: "balance", align: "right", className: "numbers",
      render: (_, line) => formatAmount(line.balance_minor, currency),
    },
  ];
  return (
    <div className="statement">
      <p className="statement-balance numbers" data-testid="statement-balance">
        {balance === null ? " " : formatMoney(balance, currency)}
      </p>
      {pages.error ? <Problem error={pages.error} retry={pages.reload} /> : null}
      <Table size="small" rowKey="entry_id" columns={columns} dataSource={pages.items ?? []} pagination={false}
        loading={pages.loading} locale={{ emptyText: "No movements yet." }} data-testid="statement" />
      <CursorButtons pages={pages} />
    </div>
  );
}
