import type { PlaybackState } from "@shared/rtc/playback";
import { Button, Spin } from "antd";

interface Words {
  title: string;
  text?: string;
  busy?: boolean;
}

const WORDS: Partial<Record<PlaybackState, Words>> = {
  idle: { title: "Connecting…", busy: true },
  connecting: { title: "Connecting…", busy: true },
  interrupted: { title: "The stream is interrupted", text: "It goes on by itself as soon as the picture is back.", busy: true },
  offline: { title: "Offline", text: "The picture starts by itself when the streamer goes live." },
  refused: { title: "This stream cannot be played" },
};

/** Says why there is no moving picture. */
export function StageMessage({ state, reason, retry }: { state: PlaybackState; reason: string | null; retry: () => void }) {
  const words = WORDS[state];
  return (
    <div role="status" data-testid="player-state" data-state={state} className={words ? "stage-message" : "visually-hidden"}>
      {words ? (
        <>
          {words.busy && <Spin />}
          <strong>{words.title}</strong>
          {(reason ?? words.text) && <span>{reason ?? words.text}</span>}
          {state === "refused" && <Button ghost onClick={retry}>Try again</Button>}
        </>
      ) : "Playing live"}
    </div>
  );
}
