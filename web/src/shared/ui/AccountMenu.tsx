import { DownOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { lazy, Suspense, useState } from "react";
import type { User } from "../api/types";
import { formatAmount, formatMoney } from "../format/money";
import { signOut } from "../session/session";
import { useWallet } from "../wallet/useWallet";
import { CoinIcon } from "./CoinIcon";

const WalletDrawer = lazy(() => import("../wallet/WalletDrawer"));

export function AccountMenu({ user }: { user: User }) {
  const wallet = useWallet();
  const [showing, setShowing] = useState(false);
  const [everShown, setEverShown] = useState(false);
  const showWallet = () => {
    setEverShown(true);
    setShowing(true);
  };
  const actions: Record<string, () => void> = { wallet: showWallet, "sign-out": () => void signOut() };
  return (
    <>
      {wallet && (
        <button type="button" className="header-balance numbers" onClick={showWallet}
          aria-label={`Wallet: ${formatMoney(wallet.balance_minor, wallet.currency)}`} data-testid="header-balance">
          <CoinIcon /> {formatAmount(wallet.balance_minor, wallet.currency)}
        </button>
      )}
      <Dropdown trigger={["click"]} menu={{
        onClick: ({ key }) => actions[key]?.(),
        items: [
          { key: "who", label: <>{user.display_name}<br /><small>{user.email}</small></>, disabled: true },
          { type: "divider" },
          { key: "wallet", label: "Wallet" },
          { key: "sign-out", label: <span data-testid="sign-out">Sign out</span> },
        ],
      }}>
        <Button type="text" data-testid="account-menu" aria-label={`Account of ${user.display_name}`}>
          <Initial name={user.display_name} />
          <span className="header-name">{user.display_name}</span>
          <DownOutlined className="header-name" aria-hidden />
        </Button>
      </Dropdown>
      {everShown && (
        <Suspense fallback={null}>
          <WalletDrawer open={showing} onClose={() => setShowing(false)} />
        </Suspense>
      )}
    </>
  );
}

function Initial({ name }: { name: string }) {
  return <span className="initial" aria-hidden>{Array.from(name)[0]?.toUpperCase() ?? "?"}</span>;
}
