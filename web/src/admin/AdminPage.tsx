import { mayActAs, useSession } from "@shared/session/session";
import { RoleNeeded } from "@shared/ui/RoleNeeded";
import { SignInNeeded } from "@shared/ui/SignInNeeded";
import { usePageTitle } from "@shared/ui/usePageTitle";
import { App, Tabs } from "antd";
import { useSearchParams } from "react-router";
import { AlertsTab } from "./alerts/AlertsTab";
import { AuditTab } from "./AuditTab";
import { LedgerTab } from "./LedgerTab";
import { PayoutsTab } from "./payouts/PayoutsTab";
import { StreamsTab } from "./StreamsTab";
import { UsersTab } from "./users/UsersTab";
import "./admin.css";

const TABS = [
  { key: "streams", label: "Live streams", children: <StreamsTab /> },
  { key: "users", label: "Users", children: <UsersTab /> },
  { key: "alerts", label: "AML alerts", children: <AlertsTab /> },
  { key: "ledger", label: "Ledger", children: <LedgerTab /> },
  { key: "payouts", label: "Payouts", children: <PayoutsTab /> },
  { key: "audit", label: "Audit", children: <AuditTab /> },
].map(({ key, label, children }) => ({ key, label: <span data-testid={`tab-${key}`}>{label}</span>, children }));

export default function AdminPage() {
  usePageTitle("Admin");
  const user = useSession((state) => state.user);
  const [search, setSearch] = useSearchParams();
  if (user === null) return <SignInNeeded why="Sign in with an admin's account to see streams, users, alerts and the ledger." />;
  if (!mayActAs(user, "admin")) return <RoleNeeded needs="admin" />;
  return (
    <App className="page admin" component="div">
      <h1>Admin</h1>
      <Tabs activeKey={search.get("tab") ?? "streams"} items={TABS} destroyOnHidden
        onChange={(tab) => setSearch({ tab }, { replace: true })} />
    </App>
  );
}
