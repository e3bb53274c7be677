import { type PayoutTerms, requestPayout } from "@shared/api/payouts";
import { useOrder } from "@shared/ui/useOrder";
import { Alert, Button, Form, Input, InputNumber } from "antd";

interface Fields {
  amount_minor: number;
  destination: string;
}

const DESTINATION = /^[A-Za-z0-9][A-Za-z0-9 :/._@-]{3,63}$/;

/** Asks for a payout. */
export function PayoutForm({ terms, requested }: { terms: PayoutTerms; requested: () => void }) {
  const { submit, busy, error } = useOrder(
    (request_id, fields: Fields) => ({ request_id, ...fields }), requestPayout, requested);
  const most = Math.min(terms.available_minor, terms.max_minor);
  return (
    <Form<Fields> layout="inline" requiredMark={false} disabled={busy} className="payout-form"
      onFinish={(fields) => void submit(fields)} initialValues={{ amount_minor: most }}>
      <Form.Item name="amount_minor" rules={[{ required: true, message: "How much?" }]}>
        <InputNumber min={terms.min_minor} max={most} precision={0} aria-label="Amount" data-testid="payout-amount" />
      </Form.Item>
      <Form.Item name="destination" className="payout-destination"
        rules={[{ required: true, pattern: DESTINATION, message: "Give the account, for instance an IBAN." }]}>
        <Input placeholder="Account to pay to, for instance an IBAN" aria-label="Account to pay to" maxLength={64}
          autoComplete="off" data-testid="payout-destination" />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={busy} data-testid="request-payout">Pay out</Button>
      {error && <Alert type="error" showIcon title={error} className="payout-error" data-testid="payout-error" />}
    </Form>
  );
}
