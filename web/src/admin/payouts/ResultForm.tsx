import { type AdminPayout, type PayoutResult, recordResult } from "@shared/api/payouts";
import { messageFor } from "@shared/api/problem";
import { Alert, Button, Form, Input, Radio } from "antd";
import { useState } from "react";

interface Fields {
  status: PayoutResult["status"];
  reference?: string;
  reason?: string;
}

/** Says by hand what became of a payout that was sent, or that it is as was known. */
export function ResultForm({ payout, recorded }: { payout: AdminPayout; recorded: () => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async ({ status, reference, reason }: Fields) => {
    setBusy(true);
    setError(null);
    try {
      await recordResult(payout.payout_id, { status, reference: reference?.trim() || null, reason: reason?.trim() || null });
      recorded();
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  const asked = payout.attention !== null;
  const settled = payout.state === "settled" && !asked;
  return (
    <section>
      <h2>What became of it</h2>
      <Form<Fields> key={`${payout.state} ${asked}`} layout="vertical" requiredMark={false} disabled={busy}
        onFinish={(fields) => void submit(fields)}>
        <Form.Item name="status" rules={[{ required: true, message: "Choose one." }]}>
          <Radio.Group aria-label="What became of it">
            {!settled && <Radio value="settled"><span data-testid="result-settled">Paid</span></Radio>}
            {!settled && <Radio value="failed"><span data-testid="result-failed">Not paid</span></Radio>}
            <Radio value="returned"><span data-testid="result-returned">Came back</span></Radio>
          </Radio.Group>
        </Form.Item>
        <Form.Item name="reference" label="Reference of the bank (may be left out)">
          <Input maxLength={200} data-testid="result-reference" />
        </Form.Item>
        <Form.Item name="reason" label="Why it was not paid, for its owner to read">
          <Input maxLength={500} data-testid="result-reason" />
        </Form.Item>
        {error !== null && <Alert type="error" showIcon title={messageFor(error)} className="dialog-error" />}
        <Button htmlType="submit" loading={busy} data-testid="record-result">Record</Button>
      </Form>
    </section>
  );
}
