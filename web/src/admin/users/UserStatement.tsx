import { userStatement } from "@shared/api/admin";
import type { StatementAccount } from "@shared/api/types";
import { StatementView } from "@shared/wallet/StatementView";
import { Segmented } from "antd";
import { useCallback, useState } from "react";

const ACCOUNTS: { value: StatementAccount; label: string }[] = [
  { value: "wallet", label: "Wallet" },
  { value: "earnings", label: "Pending earnings" },
  { value: "earnings_available", label: "Available" },
];

/** `version` counts up when something was posted from here. */
export function UserStatement({ userId, version }: { userId: string; version: number }) {
  const [account, setAccount] = useState<StatementAccount>("wallet");
  const read = useCallback(
    (cursor: string | null, signal: AbortSignal) => userStatement(userId, account, cursor, signal), [userId, account]);
  return (
    <section>
      <div className="drawer-row">
        <h2>Statement</h2>
        <Segmented<StatementAccount> options={ACCOUNTS} value={account} onChange={setAccount} aria-label="Account"
          data-testid="statement-account" />
      </div>
      <StatementView key={`${account} ${version}`} read={read} />
    </section>
  );
}
