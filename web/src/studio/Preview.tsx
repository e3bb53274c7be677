import { VideoCameraOutlined } from "@ant-design/icons";
import { Alert, Button } from "antd";
import { useEffect, useRef } from "react";
import type { Source } from "./wanted";

interface Props {
  media: MediaStream | null;
  source: Source;
  open: () => void;
  busy: boolean;
  error: string | null;
}

/** What viewers will see, without sound: one does not want to hear oneself. */
export function Preview({ media, source, open, busy, error }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = media;
  }, [media]);
  return (
    <div className="preview">
      <video ref={video} autoPlay muted playsInline data-testid="preview-video" aria-label="Preview"
        className={source === "camera" ? "preview-camera" : ""} />
      {media === null && (
        <div className="preview-empty">
          <VideoCameraOutlined className="preview-icon" aria-hidden />
          {error
            ? <Alert type="error" showIcon title={error} data-testid="capture-error" />
            : <p>{source === "camera" ? "See yourself before you go live." : "Share a screen, a window or a tab."}</p>}
          <Button type="primary" loading={busy} onClick={open} data-testid="open-preview">
            {source === "camera" ? "Turn on camera" : "Choose a screen"}
          </Button>
        </div>
      )}
    </div>
  );
}
