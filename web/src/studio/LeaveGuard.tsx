import { Modal } from "antd";
import { useEffect } from "react";
import { useBlocker } from "react-router";

/** Leaving the page ends the broadcast for everyone, so it asks before. */
export function LeaveGuard({ onAir }: { onAir: boolean }) {
  const blocker = useBlocker(onAir);
  useEffect(() => {
    if (!onAir) return undefined;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [onAir]);
  return (
    <Modal open={blocker.state === "blocked"} title="Stop your broadcast?" okText="Stop and leave" cancelText="Stay live"
      okButtonProps={{ danger: true, "data-testid": "leave-confirm" }} onOk={() => blocker.proceed?.()}
      onCancel={() => blocker.reset?.()}>
      You are live. Leaving the studio ends the broadcast for everyone.
    </Modal>
  );
}
