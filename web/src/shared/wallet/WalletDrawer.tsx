import { Drawer } from "antd";
import { useCallback } from "react";
import type { StatementAccount } from "../api/types";
import { myStatement } from "../api/wallet";
import { StatementView } from "./StatementView";

interface Props {
  open: boolean;
  onClose: () => void;
  account?: StatementAccount;
}

export default function WalletDrawer({ open, onClose, account = "wallet" }: Props) {
  const read = useCallback((cursor: string | null, signal: AbortSignal) => myStatement(account, cursor, signal), [account]);
  return (
    <Drawer open={open} onClose={onClose} size={520} title={account === "wallet" ? "Wallet" : "Earnings"} destroyOnHidden>
      <StatementView read={read} />
    </Drawer>
  );
}
