import { grantCoins, type Grant } from "@shared/api/admin";
import { ApiError, messageFor } from "@shared/api/problem";
import type { User } from "@shared/api/types";
import { formatMoney } from "@shared/format/money";
import { newUuid } from "@shared/uuid";
import { Alert, Button, Form, Input, InputNumber } from "antd";
import { useRef, useState } from "react";

interface Fields {
  amount_minor: number;
  reason: string;
}

/** Grants coins; a grant whose outcome is unknown is repeated under the same request_id. */
export function GrantForm({ user, granted }: { user: User; granted: () => void }) {
  const [form] = Form.useForm<Fields>();
  const unsettled = useRef<Grant | null>(null);
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<{ type: "success" | "error"; text: string } | null>(null);
  const submit = async ({ amount_minor, reason }: Fields) => {
    const last = unsettled.current;
    const again = last?.amount_minor === amount_minor && last.reason === reason;
    const grant = again ? last : { request_id: newUuid(), amount_minor, reason };
    unsettled.current = grant;
    setBusy(true);
    setOutcome(null);
    try {
      const { balance_minor, currency } = await grantCoins(user.user_id, grant);
      unsettled.current = null;
      setOutcome({ type: "success", text: `Granted. The wallet holds ${formatMoney(balance_minor, currency)}.` });
      form.resetFields();
      granted();
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) unsettled.current = null;
      setOutcome({ type: "error", text: messageFor(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <section>
      <h2>Grant coins</h2>
      <Form form={form} layout="inline" requiredMark={false} disabled={busy} className="grant-form"
        onFinish={(fields) => void submit(fields)}>
        <Form.Item name="amount_minor" rules={[{ required: true, message: "How many?" }]}>
          <InputNumber min={1} max={1_000_000_000} precision={0} placeholder="Coins" aria-label="Coins" data-testid="grant-amount" />
        </Form.Item>
        <Form.Item name="reason" rules={[{ required: true, whitespace: true, max: 200, message: "Say why." }]}>
          <Input placeholder="Reason" aria-label="Reason for the grant" data-testid="grant-reason" />
        </Form.Item>
        <Button htmlType="submit" loading={busy} data-testid="grant">Grant</Button>
      </Form>
      {outcome && <Alert type={outcome.type} showIcon title={outcome.text} data-testid="grant-outcome" />}
    </section>
  );
}
