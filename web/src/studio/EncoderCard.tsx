import { messageFor } from "@shared/api/problem";
import { resetStreamKey } from "@shared/api/streams";
import type { Stream } from "@shared/api/types";
import { CopyField } from "@shared/ui/CopyField";
import { Alert, Button, Popconfirm } from "antd";
import { useState } from "react";
import { ffmpegCommand } from "./ffmpeg";

/** How to go live from OBS, FFmpeg or another WHIP client. */
export function EncoderCard({ stream, firstKey }: { stream: Stream; firstKey: string | null }) {
  const [key, setKey] = useState(firstKey);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const whipUrl = new URL(`/whip/${stream.stream_id}`, window.location.href).href;
  const reset = async () => {
    setBusy(true);
    setError(null);
    try {
      setKey((await resetStreamKey(stream.stream_id)).stream_key);
    } catch (refusal) {
      setError(messageFor(refusal));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="encoder panel" aria-label="OBS, FFmpeg and other encoders">
      <h2>OBS, FFmpeg and other encoders</h2>
      <p className="muted">In OBS choose the service “WHIP”, then the address as server and the key as bearer token.</p>
      <CopyField label="WHIP address" value={whipUrl} testId="whip-url" />
      {key === null
        ? <p className="muted">The stream key is shown once, when it is made. If you have lost it, make a new one.</p>
        : (
          <>
            <CopyField label="Stream key" value={key} testId="stream-key" />
            <p className="muted">Copy the key now. It is not shown again after you leave this page.</p>
          </>
        )}
      <CopyField label="FFmpeg command" value={ffmpegCommand(whipUrl, key)} testId="ffmpeg-command" wrap />
      {error && <Alert type="error" showIcon title={error} />}
      <div>
        <Popconfirm title="Make a new key?" description="The old key stops working at once." okText="Reset key"
          okButtonProps={{ "data-testid": "reset-key-confirm" }} onConfirm={() => void reset()}>
          <Button loading={busy} data-testid="reset-key">Reset key</Button>
        </Popconfirm>
      </div>
    </section>
  );
}
