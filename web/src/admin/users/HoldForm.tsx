import { type HoldAccount, placeHold } from "@shared/api/holds";
import { useOrder } from "@shared/ui/useOrder";
import { Alert, Button, Form, Input, InputNumber, Select } from "antd";

interface Fields {
  account: HoldAccount;
  amount_minor: number;
  days: number;
  reason: string;
}

const DAY_MS = 86_400_000;
const ACCOUNTS: { value: HoldAccount; label: string }[] = [
  { value: "wallet", label: "Wallet" },
  { value: "earnings_available", label: "Available earnings" },
];

/** Keeps money back. */
export function HoldForm({ userId, placed }: { userId: string; placed: () => void }) {
  const [form] = Form.useForm<Fields>();
  const { submit, busy, error } = useOrder(
    (request_id, { days, ...asked }: Fields) =>
      ({ request_id, expires_at: new Date(Date.now() + days * DAY_MS).toISOString(), ...asked }),
    (hold) => placeHold(userId, hold),
    () => {
      form.resetFields();
      placed();
    },
  );
  return (
    <>
      <Form<Fields> form={form} layout="inline" requiredMark={false} disabled={busy} className="grant-form"
        initialValues={{ account: "wallet", days: 30 }} onFinish={(fields) => void submit(fields)}>
        <Form.Item name="account">
          <Select options={ACCOUNTS} popupMatchSelectWidth={false} aria-label="Account" data-testid="hold-account" />
        </Form.Item>
        <Form.Item name="amount_minor" rules={[{ required: true, message: "How much?" }]}>
          <InputNumber min={1} max={Number.MAX_SAFE_INTEGER} precision={0} placeholder="Coins" aria-label="Coins to hold" data-testid="hold-amount" />
        </Form.Item>
        <Form.Item name="days" rules={[{ required: true, message: "How long?" }]}>
          <InputNumber min={1} max={365} precision={0} suffix="days" className="hold-days" aria-label="Days" data-testid="hold-days" />
        </Form.Item>
        <Form.Item name="reason" rules={[{ required: true, whitespace: true, max: 200, message: "Say why." }]}>
          <Input placeholder="Reason" aria-label="Reason for the hold" data-testid="hold-reason" />
        </Form.Item>
        <Button htmlType="submit" loading={busy} data-testid="hold">Hold</Button>
      </Form>
      {error && <Alert type="error" showIcon title={error} data-testid="hold-error" />}
    </>
  );
}
