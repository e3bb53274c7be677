import { Alert, Button, Form, Input, Modal } from "antd";
import { useState } from "react";
import { login, register } from "../api/auth";
import { ApiError, messageFor } from "../api/problem";
import { signedIn, stopAsking } from "../session/session";

interface Fields {
  email: string;
  password: string;
  display_name: string;
}

const PASSWORD_MIN = 10;

export default function SignInDialog() {
  const [form] = Form.useForm<Fields>();
  const [registering, setRegistering] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const submit = async ({ email, password, display_name }: Fields) => {
    setBusy(true);
    setError(null);
    try {
      signedIn(registering ? await register(email, password, display_name) : await login(email, password));
    } catch (refusal) {
      const fields = refusal instanceof ApiError ? Object.entries(refusal.fields) : [];
      form.setFields(fields.map(([name, message]) => ({ name: name as keyof Fields, errors: [message] })));
      setError(fields.length > 0 ? null : refusal);
    } finally {
      setBusy(false);
    }
  };

  const swap = () => {
    setRegistering(!registering);
    setError(null);
  };

  return (
    <Modal open title={registering ? "Create an account" : "Sign in"} footer={null} width={400} onCancel={stopAsking}>
      <Form<Fields> form={form} layout="vertical" onFinish={(fields) => void submit(fields)} requiredMark={false}
        disabled={busy} data-testid="sign-in-form">
        {error !== null && <Alert type="error" showIcon title={messageFor(error)} data-testid="sign-in-error"
          className="dialog-error" />}
        <Form.Item name="email" label="Email"
          rules={[{ required: true, type: "email", message: "Enter your email address." }]}>
          <Input type="email" autoComplete="username" autoFocus data-testid="email" />
        </Form.Item>
        {registering && (
          <Form.Item name="display_name" label="Name that others see"
            rules={[{ required: true, min: 2, max: 32, message: "Use 2 to 32 characters." }]}>
            <Input autoComplete="nickname" data-testid="display-name" />
          </Form.Item>
        )}
        <Form.Item name="password" label="Password" rules={[
          { required: true, message: "Enter your password." },
          { min: registering ? PASSWORD_MIN : 1, max: 128, message: `Use ${PASSWORD_MIN} to 128 characters.` },
        ]}>
          <Input.Password autoComplete={registering ? "new-password" : "current-password"} data-testid="password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={busy} data-testid="sign-in">
          {registering ? "Create account" : "Sign in"}
        </Button>
      </Form>
      <p className="dialog-swap">
        {registering ? "You have an account?" : "New here?"}{" "}
        <Button type="link" size="small" onClick={swap} data-testid="sign-in-swap">
          {registering ? "Sign in" : "Create an account"}
        </Button>
      </p>
    </Modal>
  );
}
