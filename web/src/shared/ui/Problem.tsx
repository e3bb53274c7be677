import { Alert, Button } from "antd";
import { messageFor } from "../api/problem";

/** An error in the place where its content would be, with a way to try again. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <Alert type="error" showIcon title={messageFor(error)} data-testid="problem"
      action={retry && <Button size="small" onClick={retry}>Try again</Button>} />
  );
}
