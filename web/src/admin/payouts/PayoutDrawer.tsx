import { judgePayout, type Judgement, payoutDetails, type PayoutState } from "@shared/api/payouts";
import { asWords, formatDateTime } from "@shared/format/measures";
import { shortIds } from "@shared/format/ids";
import { formatMoney } from "@shared/format/money";
import { Problem } from "@shared/ui/Problem";
import { useResource } from "@shared/ui/useResource";
import { Alert, Button, Drawer } from "antd";
import { useCallback, useState } from "react";
import { ReasonDialog } from "../ReasonDialog";
import { PayoutTag } from "./PayoutTag";
import { ResultForm } from "./ResultForm";

interface Props {
  payoutId: string;
  changed: () => void;
  close: () => void;
}

const EVERY_MS = 5_000;
const JUDGEMENTS: Partial<Record<PayoutState, Judgement[]>> = { review: ["approve", "reject"], requested: ["hold"], held: ["hold", "reject"] };
const DIALOGS: Record<Judgement, { title: string; action: string; text: string }> = {
  approve: { title: "Approve this payout?", action: "Approve", text: "It goes on from here. Alerts that are still open stop it again." },
  hold: { title: "Stop this payout?", action: "Stop", text: "It waits until an admin approves or rejects it. Its owner is not told." },
  reject: { title: "Reject this payout?", action: "Reject", text: "The amount goes back to the available earnings. Its owner reads your reason." },
};
const WITH_RESULT: PayoutState[] = ["captured", "sent", "settled"];

/** What is known of one payout, everything that happened to it, and what an admin can do. */
export function PayoutDrawer({ payoutId, changed, close }: Props) {
  const { data: payout, error, reload } = useResource(
    useCallback((signal: AbortSignal) => payoutDetails(payoutId, signal), [payoutId]), EVERY_MS);
  const [judging, setJudging] = useState<Judgement | null>(null);
  const again = () => {
    reload();
    changed();
  };
  const judge = async (judgement: Judgement, reason: string) => {
    await judgePayout(payoutId, judgement, reason);
    setJudging(null);
    again();
  };
  return (
    <Drawer open title={payout ? `${formatMoney(payout.amount_minor, payout.currency)} to ${payout.user_name}` : "Payout"}
      onClose={close} size={560} data-testid="payout-drawer">
      {error && !payout ? <Problem error={error} retry={reload} /> : null}
      {payout && (
        <div className="drawer-parts">
          <section>
            <div className="drawer-row">
              <PayoutTag payout={payout} />
              <span className="muted">to {payout.destination}{payout.reference && `, reference ${payout.reference}`}</span>
            </div>
            {payout.attention !== null && <Alert type="error" showIcon title={`A result can't be true: ${payout.attention}`} />}
            {payout.reason !== null && <p>{payout.reason}</p>}
            <div className="drawer-row">
              {JUDGEMENTS[payout.state]?.map((judgement) => (
                <Button key={judgement} danger={judgement === "reject"} type={judgement === "approve" ? "primary" : "default"}
                  onClick={() => setJudging(judgement)} data-testid={`payout-${judgement}`}>
                  {DIALOGS[judgement].action}
                </Button>
              ))}
            </div>
          </section>
          {(WITH_RESULT.includes(payout.state) || payout.attention !== null) && <ResultForm payout={payout} recorded={again} />}
          <section>
            <h2>History</h2>
            <ol className="payout-history">
              {payout.history.map(({ version, type, data, created_at }) => (
                <li key={version}>
                  <strong>{asWords(type.replace("payout.", ""))}</strong>
                  <span className="muted"> {formatDateTime(created_at)}</span>
                  <div className="audit-details">
                    {Object.entries(data).filter(([, value]) => value !== null)
                      .map(([name, value]) => `${asWords(name)}: ${shortIds(String(value))}`).join(" · ")}
                  </div>
                </li>
              ))}
            </ol>
          </section>
        </div>
      )}
      {judging !== null && (
        <ReasonDialog {...DIALOGS[judging]} onCancel={() => setJudging(null)} onConfirm={(reason) => judge(judging, reason)} />
      )}
    </Drawer>
  );
}
