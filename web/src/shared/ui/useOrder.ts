import { useRef, useState } from "react";
import { ApiError, messageFor } from "../api/problem";
import { newUuid } from "../uuid";

export interface Order<Fields> {
  submit(fields: Fields): Promise<void>;
  busy: boolean;
  /** Why the last one was refused, or that its outcome is unknown. */
  error: string | null;
}

/**
 * Sends what a form asks for, once: where the outcome of the last one is unknown, equal fields send
 * the very same body again, `request_id` and all; other fields, or a refusal, begin anew.
 */
export function useOrder<Fields, Body, Answer>(
  make: (requestId: string, fields: Fields) => Body,
  send: (body: Body) => Promise<Answer>,
  done: (answer: Answer) => void,
): Order<Fields> {
  const unsettled = useRef<{ fields: string; body: Body } | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async (asked: Fields) => {
    const fields = JSON.stringify(asked);
    if (unsettled.current?.fields !== fields) unsettled.current = { fields, body: make(newUuid(), asked) };
    setBusy(true);
    setError(null);
    try {
      const answer = await send(unsettled.current.body);
      unsettled.current = null;
      done(answer);
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.status >= 400 && refusal.status < 500) unsettled.current = null;
      setError(messageFor(refusal));
    } finally {
      setBusy(false);
    }
  };
  return { submit, busy, error };
}
