import { type HoldAccount, type NewHold, placeHold } from "@shared/api/holds";
import { ApiError, messageFor } from "@shared/api/problem";
import { newUuid } from "@shared/uuid";
import { Alert, Button, Form, Input, InputNumber, Select } from "antd";
import { useRef, useState } from "react";

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

/** Keeps money back; a hold whose outcome is unknown is asked for again under the same request_id. */
export function HoldForm({ userId, placed }: { userId: string; placed: () => void }) {
  const [form] = Form.useForm<Fields>();
  const unsettled = useRef<{ fields: string; hold: NewHold } | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async ({ days, ...asked }: Fields) => {
    const fields = JSON.stringify([asked, days]);
    if (unsettled.current?.fields !== fields) {
      const expires_at = new Date(Date.now() + days * DAY_MS).toISOString();
      unsettled.current = { fields, hold: { request_id: newUuid(), expires_at, ...asked } };
    }
    setBusy(true);
    setError(null);
    try {
      await placeHold(userId, unsettled.current.hold);
      unsettled.current = null;
      form.resetFields();
      placed();
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.status >= 400 && refusal.status < 500) unsettled.current = null;
      setError(messageFor(refusal));
    } finally {
      setBusy(false);
    }
  };
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
