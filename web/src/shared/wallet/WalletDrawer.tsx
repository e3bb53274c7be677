import { Drawer, Segmented } from "antd";
import { useCallback, useState } from "react";
import type { StatementAccount } from "../api/types";
import { myStatement } from "../api/wallet";
import { StatementView } from "./StatementView";

interface Props {
  open: boolean;
  onClose: () => void;
  account?: "wallet" | "earnings";
}

const EARNINGS: { value: StatementAccount; label: string }[] = [
  { value: "earnings", label: "Pending" },
  { value: "earnings_available", label: "Available" },
];

export default function WalletDrawer({ open, onClose, account = "wallet" }: Props) {
  const [chosen, choose] = useState<StatementAccount>(account);
  const read = useCallback((cursor: string | null, signal: AbortSignal) => myStatement(chosen, cursor, signal), [chosen]);
  return (
    <Drawer open={open} onClose={onClose} size={520} title={account === "wallet" ? "Wallet" : "Earnings"} destroyOnHidden
      extra={account === "earnings" && (
        <Segmented<StatementAccount> options={EARNINGS} value={chosen} onChange={choose} aria-label="Earnings" data-testid="earnings-account" />
      )}>
      <StatementView key={chosen} read={read} />
    </Drawer>
  );
}
