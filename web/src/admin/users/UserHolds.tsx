import { type OpenHold, openHolds, releaseHold } from "@shared/api/holds";
import { formatDateTime } from "@shared/format/measures";
import { formatMoney } from "@shared/format/money";
import { Problem } from "@shared/ui/Problem";
import { useResource } from "@shared/ui/useResource";
import { newUuid } from "@shared/uuid";
import { Button } from "antd";
import { useCallback, useRef, useState } from "react";
import { ReasonDialog } from "../ReasonDialog";
import { HoldForm } from "./HoldForm";

const ACCOUNTS = { wallet: "of the wallet", earnings_available: "of available earnings" };

/** As many as the server tells of. */
const MOST_SHOWN = 100;

/** What is kept back of a person's money, by admins and on the way of payouts. */
export function UserHolds({ userId }: { userId: string }) {
  const read = useCallback((signal: AbortSignal) => openHolds(userId, signal), [userId]);
  const { data: holds, error, reload } = useResource(read);
  const [ending, setEnding] = useState<OpenHold | null>(null);
  const requestId = useRef("");
  const ask = (hold: OpenHold) => {
    requestId.current = newUuid();
    setEnding(hold);
  };
  const release = async (reason: string) => {
    if (ending === null) return;
    await releaseHold(ending.hold_id, { request_id: requestId.current, reason });
    setEnding(null);
    reload();
  };
  return (
    <section>
      <h2>Holds</h2>
      {error ? <Problem error={error} retry={reload} /> : null}
      <ul className="hold-list" data-testid="holds">
        {holds?.map((hold) => (
          <li key={hold.hold_id}>
            <span>
              <strong className="numbers">{formatMoney(hold.amount_minor - hold.captured_minor, hold.currency)}</strong>
              <span className="muted"> {ACCOUNTS[hold.account]}, until {formatDateTime(hold.expires_at)}: {hold.reason}</span>
            </span>
            {hold.placed_by !== null && <Button size="small" onClick={() => ask(hold)} data-testid="release-hold">Release</Button>}
          </li>
        ))}
      </ul>
      {holds?.length === MOST_SHOWN && <p className="muted">These {MOST_SHOWN} end first; there may be more.</p>}
      <HoldForm userId={userId} placed={reload} />
      {ending && (
        <ReasonDialog title={`Release ${formatMoney(ending.amount_minor - ending.captured_minor, ending.currency)}?`}
          action="Release" text="The money can be given and paid out again at once." onCancel={() => setEnding(null)}
          onConfirm={release} />
      )}
    </section>
  );
}
