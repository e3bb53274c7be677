import { alerts } from "@shared/api/admin";
import type { Alert, AlertStatus } from "@shared/api/types";
import { asWords, formatDateTime } from "@shared/format/measures";
import { useSession } from "@shared/session/session";
import { useCursor } from "@shared/ui/useCursor";
import { Button, Segmented, type TableProps } from "antd";
import { useState } from "react";
import { ListTable } from "../ListTable";
import { AlertDrawer } from "./AlertDrawer";
import { AlertStatusTag } from "./AlertStatusTag";
import { Score } from "./Score";

const EVERY_MS = 5_000;
const FILTERS: { value: AlertStatus | ""; label: string }[] = [
  { value: "", label: "All" },
  { value: "open", label: "Open" },
  { value: "assigned", label: "Assigned" },
  { value: "resolved", label: "Resolved" },
];

export function AlertsTab() {
  const selfId = useSession((state) => state.user?.user_id ?? null);
  const [status, setStatus] = useState<AlertStatus | "">("");
  const [opened, setOpened] = useState<Alert | null>(null);
  const pages = useCursor((cursor, signal) => alerts(status, cursor, signal), status, EVERY_MS);
  const columns: TableProps<Alert>["columns"] = [
    { title: "Score", key: "score", render: (_, { risk_score }) => <Score value={risk_score} /> },
    {
      title: "Alert", key: "type",
      render: (_, alert) => (
        <Button type="link" size="small" className="cell-link" onClick={() => setOpened(alert)} data-testid="open-alert">
          {asWords(alert.alert_type)}
        </Button>
      ),
    },
    { title: "Person", dataIndex: "user_name" },
    { title: "Status", key: "status", render: (_, alert) => <AlertStatusTag alert={alert} selfId={selfId} /> },
    { title: "Raised", key: "raised", render: (_, { created_at }) => formatDateTime(created_at) },
  ];
  const changed = (alert: Alert) => {
    setOpened(alert);
    pages.reload();
  };
  return (
    <>
      <Segmented<AlertStatus | ""> options={FILTERS} value={status} onChange={setStatus} aria-label="Status"
        className="admin-filter" data-testid="alert-filter" />
      <ListTable pages={pages} columns={columns} rowKey="alert_id" testId="admin-alerts"
        empty={status === "" ? "No alerts. Gifts are watched as they are posted." : `No alerts are ${status}.`} />
      {opened && <AlertDrawer key={opened.alert_id} alert={opened} selfId={selfId} changed={changed} close={() => setOpened(null)} />}
    </>
  );
}
