import { messageFor } from "@shared/api/problem";
import { formatDuration } from "@shared/format/measures";
import { isOnAir, type BroadcastState } from "@shared/rtc/broadcast";
import type { PublisherView } from "@shared/rtc/publisher";
import { useNow } from "@shared/ui/useNow";
import { Alert, Button } from "antd";
import { useState } from "react";

interface Props {
  broadcast: PublisherView;
  hasMedia: boolean;
  goLive: () => Promise<void>;
  stop: () => Promise<void>;
  /** The server says that the stream is live, from wherever. */
  elsewhere: boolean;
  /** Why the last broadcast ended, as the server tells it. */
  endReason: string | null;
}

const WORDS: Record<BroadcastState, string> = {
  idle: "Not live",
  connecting: "Connecting…",
  live: "You are live",
  reconnecting: "Connection lost. Reconnecting; your viewers stay.",
  refused: "Not live",
  stopped: "Not live",
};

export function LiveControls({ broadcast, hasMedia, goLive, stop, elsewhere, endReason }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const onAir = isOnAir(broadcast.state);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (refusal) {
      setError(messageFor(refusal));
    } finally {
      setBusy(false);
    }
  };
  const problem = error ?? (broadcast.state === "refused" ? broadcast.reason : null);
  return (
    <div className="live-controls">
      <div className="live-row">
        {onAir || elsewhere ? (
          <Button danger type="primary" size="large" loading={busy} onClick={() => void run(stop)} data-testid="stop-live">
            Stop
          </Button>
        ) : (
          <Button type="primary" size="large" loading={busy} onClick={() => void run(goLive)} data-testid="go-live">
            {hasMedia ? "Go live" : "Turn on and go live"}
          </Button>
        )}
        <p role="status" data-testid="broadcast-state" data-state={broadcast.state}>
          {elsewhere && !onAir ? "Live from another encoder or tab" : WORDS[broadcast.state]}
        </p>
        {broadcast.startedAtMs !== null && <Uptime since={broadcast.startedAtMs} />}
      </div>
      {problem && <Alert type="error" showIcon title={problem} data-testid="broadcast-error" />}
      {endReason && !onAir && !elsewhere && <Alert type="info" showIcon title={endReason} data-testid="end-reason" />}
    </div>
  );
}

function Uptime({ since }: { since: number }) {
  const now = useNow(1_000);
  return <span className="numbers muted" data-testid="uptime">{formatDuration((now - since) / 1000)}</span>;
}
