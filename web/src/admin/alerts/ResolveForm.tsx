import { resolveAlert } from "@shared/api/admin";
import { messageFor } from "@shared/api/problem";
import type { Alert, AlertOutcome } from "@shared/api/types";
import { Button, Form, Input, Alert as Notice, Radio } from "antd";
import { useState } from "react";

interface Fields {
  outcome: AlertOutcome;
  note: string;
}

export function ResolveForm({ alert, resolved }: { alert: Alert; resolved: (alert: Alert) => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async ({ outcome, note }: Fields) => {
    setBusy(true);
    setError(null);
    try {
      resolved(await resolveAlert(alert.alert_id, outcome, note.trim()));
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return (
    <section>
      <h2>Resolve</h2>
      <Form<Fields> layout="vertical" requiredMark={false} disabled={busy} onFinish={(fields) => void submit(fields)}>
        <Form.Item name="outcome" rules={[{ required: true, message: "Choose an outcome." }]}>
          <Radio.Group aria-label="Outcome">
            <Radio value="cleared"><span data-testid="outcome-cleared">Cleared: nothing wrong</span></Radio>
            <Radio value="confirmed"><span data-testid="outcome-confirmed">Confirmed: suspicious</span></Radio>
          </Radio.Group>
        </Form.Item>
        <Form.Item name="note" label="Note"
          rules={[{ required: true, whitespace: true, max: 2000, message: "Say what you found." }]}>
          <Input.TextArea rows={3} data-testid="resolve-note" />
        </Form.Item>
        {error !== null && <Notice type="error" showIcon title={messageFor(error)} className="dialog-error" />}
        <Button type="primary" htmlType="submit" loading={busy} data-testid="resolve">Resolve</Button>
      </Form>
    </section>
  );
}
