import { messageFor } from "@shared/api/problem";
import { createStream } from "@shared/api/streams";
import type { StreamWithKey } from "@shared/api/types";
import { Alert, Button, Form, Input } from "antd";
import { useState } from "react";

interface Props {
  created: (stream: StreamWithKey) => void;
  cancel?: () => void;
}

export const TITLE_MAX = 120;

export function CreateStream({ created, cancel }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async ({ title }: { title: string }) => {
    setBusy(true);
    setError(null);
    try {
      created(await createStream(title.trim()));
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  return (
    <div className="create-stream panel">
      <h1>Name your stream</h1>
      <p className="muted">Viewers see the title on the front page. You can change it at any time.</p>
      <Form layout="vertical" requiredMark={false} onFinish={(fields: { title: string }) => void submit(fields)} disabled={busy}>
        <Form.Item name="title" label="Title"
          rules={[{ required: true, whitespace: true, max: TITLE_MAX, message: `Use 1 to ${TITLE_MAX} characters.` }]}>
          <Input maxLength={TITLE_MAX} showCount autoFocus data-testid="stream-title-input" />
        </Form.Item>
        {error !== null && <Alert type="error" showIcon title={messageFor(error)} className="dialog-error" />}
        <Button type="primary" htmlType="submit" loading={busy} data-testid="create-stream">Create stream</Button>
        {cancel && <Button type="text" onClick={cancel}>Cancel</Button>}
      </Form>
    </div>
  );
}
