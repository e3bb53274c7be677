import { assignAlert } from "@shared/api/admin";
import { messageFor } from "@shared/api/problem";
import type { Alert } from "@shared/api/types";
import { asWords, formatDateTime } from "@shared/format/measures";
import { Button, Drawer, Alert as Notice } from "antd";
import { useState } from "react";
import { AlertReasons } from "./AlertReasons";
import { AlertStatusTag } from "./AlertStatusTag";
import { ResolveForm } from "./ResolveForm";
import { Score } from "./Score";

interface Props {
  alert: Alert;
  selfId: string | null;
  changed: (alert: Alert) => void;
  close: () => void;
}

/** Why an alert was raised, and what became of it. */
export function AlertDrawer({ alert, selfId, changed, close }: Props) {
  const [error, setError] = useState<string | null>(null);
  const assign = async (userId: string | null) => {
    setError(null);
    try {
      changed(await assignAlert(alert.alert_id, userId));
    } catch (refusal) {
      setError(messageFor(refusal));
    }
  };
  const mine = alert.assigned_to === selfId;
  return (
    <Drawer open title={`${asWords(alert.alert_type)}: ${alert.user_name}`} onClose={close} size={560} data-testid="alert-drawer">
      <div className="drawer-parts">
        <section>
          <div className="drawer-row">
            <Score value={alert.risk_score} />
            <AlertStatusTag alert={alert} selfId={selfId} />
            <span className="muted">{formatDateTime(alert.created_at)}</span>
          </div>
          {alert.status !== "resolved" && (
            <Button onClick={() => void assign(mine ? null : selfId)} data-testid="assign">
              {mine ? "Give it back" : "Assign to me"}
            </Button>
          )}
          {error && <Notice type="error" showIcon title={error} />}
        </section>
        <AlertReasons reasons={alert.reasons} />
        <section>
          <h2>Events</h2>
          <p className="muted">{alert.event_ids.length} ledger events led to this.</p>
          <ul className="event-ids">
            {alert.event_ids.slice(-20).map((eventId) => <li key={eventId}><code>{eventId}</code></li>)}
          </ul>
        </section>
        {alert.status === "resolved"
          ? (
            <section data-testid="alert-outcome">
              <h2>Resolved as {alert.outcome}</h2>
              <p>{alert.note}</p>
              {alert.resolved_at && <p className="muted">{formatDateTime(alert.resolved_at)}</p>}
            </section>
          )
          : <ResolveForm alert={alert} resolved={changed} />}
      </div>
    </Drawer>
  );
}
