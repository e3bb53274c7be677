import { messageFor } from "@shared/api/problem";
import { Alert, Form, Input, Modal } from "antd";
import { useState } from "react";

interface Props {
  title: string;
  text: string;
  action: string;
  onCancel: () => void;
  /** The dialog stays, with the error, when this fails. */
  onConfirm: (reason: string) => Promise<void>;
}

/** Asks why before something that others will feel; the reason goes into the audit log. */
export function ReasonDialog({ title, text, action, onCancel, onConfirm }: Props) {
  const [form] = Form.useForm<{ reason: string }>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async ({ reason }: { reason: string }) => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm(reason.trim());
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return (
    <Modal open title={title} onCancel={onCancel} onOk={form.submit} okText={action} confirmLoading={busy}
      okButtonProps={{ danger: true, "data-testid": "reason-confirm" }}>
      <p className="dialog-text">{text}</p>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(fields) => void submit(fields)}>
        <Form.Item name="reason" label="Reason (kept in the audit log)"
          rules={[{ required: true, whitespace: true, max: 200, message: "Say why, in at most 200 characters." }]}>
          <Input autoFocus data-testid="reason" />
        </Form.Item>
      </Form>
      {error !== null && <Alert type="error" showIcon title={messageFor(error)} />}
    </Modal>
  );
}
