import { MutedOutlined } from "@ant-design/icons";
import { Button } from "antd";

/** The browser let the picture start only without sound. */
export function TapForSound({ onTap }: { onTap: () => void }) {
  return (
    <Button className="tap-for-sound" size="large" icon={<MutedOutlined />} onClick={onTap}
      data-testid="tap-for-sound">Tap for sound</Button>
  );
}
