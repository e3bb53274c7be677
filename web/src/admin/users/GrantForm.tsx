import { grantCoins } from "@shared/api/admin";
import type { User } from "@shared/api/types";
import { formatMoney } from "@shared/format/money";
import { useOrder } from "@shared/ui/useOrder";
import { Alert, Button, Form, Input, InputNumber } from "antd";
import { useState } from "react";

interface Fields {
  amount_minor: number;
  reason: string;
}

/** Grants coins. */
export function GrantForm({ user, granted }: { user: User; granted: () => void }) {
  const [form] = Form.useForm<Fields>();
  const [success, setSuccess] = useState<string | null>(null);
  const { submit, busy, error } = useOrder(
    (request_id, fields: Fields) => ({ request_id, ...fields }),
    (grant) => grantCoins(user.user_id, grant),
    ({ balance_minor, currency }) => {
      setSuccess(`Granted. The wallet holds ${formatMoney(balance_minor, currency)}.`);
      form.resetFields();
      granted();
    },
  );
  const outcome = error ?? success;
  return (
    <section>
      <h2>Grant coins</h2>
      <Form form={form} layout="inline" requiredMark={false} disabled={busy} className="grant-form"
        onFinish={(fields) => { setSuccess(null); void submit(fields); }}>
        <Form.Item name="amount_minor" rules={[{ required: true, message: "How many?" }]}>
          <InputNumber min={1} max={1_000_000_000} precision={0} placeholder="Coins" aria-label="Coins" data-testid="grant-amount" />
        </Form.Item>
        <Form.Item name="reason" rules={[{ required: true, whitespace: true, max: 200, message: "Say why." }]}>
          <Input placeholder="Reason" aria-label="Reason for the grant" data-testid="grant-reason" />
        </Form.Item>
        <Button htmlType="submit" loading={busy} data-testid="grant">Grant</Button>
      </Form>
      {outcome && <Alert type={error ? "error" : "success"} showIcon title={outcome} data-testid="grant-outcome" />}
    </section>
  );
}
