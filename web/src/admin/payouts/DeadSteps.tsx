import { deadSteps, type DeadStep, retryStep } from "@shared/api/payouts";
import { messageFor } from "@shared/api/problem";
import { asWords } from "@shared/format/measures";
import { shortIds } from "@shared/format/ids";
import { useResource } from "@shared/ui/useResource";
import { Alert, Button } from "antd";
import { useState } from "react";

const EVERY_MS = 10_000;

/** Steps of payouts and purchases that gave up; nothing is shown while there are none. */
export function DeadSteps() {
  const { data: steps, reload } = useResource(deadSteps, EVERY_MS);
  const [error, setError] = useState<string | null>(null);
  const retry = async ({ task_id }: DeadStep) => {
    setError(null);
    try {
      await retryStep(task_id);
    } catch (refusal) {
      setError(messageFor(refusal));
    }
    reload();
  };
  if (!steps || steps.length === 0) return null;
  return (
    <section className="dead-steps" aria-label="Steps that gave up" data-testid="dead-steps">
      {steps.map((step) => (
        <Alert key={step.task_id} type="error" showIcon
          title={`${asWords(step.step)} gave up after ${step.attempts} ${step.attempts === 1 ? "attempt" : "attempts"}: ${
            shortIds(step.stream_id)}`}
          description={step.last_error}
          action={<Button size="small" onClick={() => void retry(step)} data-testid="retry-step">Try again</Button>} />
      ))}
      {error && <Alert type="error" showIcon title={error} />}
    </section>
  );
}
