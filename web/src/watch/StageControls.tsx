import {
  BarChartOutlined, CompressOutlined, ExpandOutlined, MutedOutlined, SoundOutlined, SwitcherOutlined,
} from "@ant-design/icons";
import type { RefObject } from "react";
import { canFloat, toggleFloating, toggleFullscreen } from "./screens";
import type { Sound } from "./sound";
import { useFullscreen } from "./useFullscreen";

interface Props {
  stage: RefObject<HTMLDivElement | null>;
  video: RefObject<HTMLVideoElement | null>;
  sound: Sound;
  setVolume: (volume: number) => void;
  setMuted: (muted: boolean) => void;
  showingStats: boolean;
  toggleStats: () => void;
}

export function StageControls({ stage, video, sound, setVolume, setMuted, showingStats, toggleStats }: Props) {
  const full = useFullscreen(stage);
  return (
    <div className="controls">
      <button type="button" onClick={() => setMuted(!sound.muted)} data-testid="mute"
        aria-label={sound.muted ? "Sound on" : "Sound off"} aria-pressed={sound.muted}>
        {sound.muted ? <MutedOutlined /> : <SoundOutlined />}
      </button>
      <input type="range" min={0} max={1} step={0.05} value={sound.muted ? 0 : sound.volume} aria-label="Volume"
        className="controls-volume" onChange={({ target }) => setVolume(Number(target.value))} data-testid="volume" />
      <span className="controls-gap" />
      <button type="button" onClick={toggleStats} aria-label="Statistics" aria-pressed={showingStats}
        data-testid="stats-toggle"><BarChartOutlined /></button>
      {canFloat() && (
        <button type="button" onClick={() => void toggleFloating(video.current)} aria-label="Picture in picture"
          data-testid="picture-in-picture"><SwitcherOutlined /></button>
      )}
      <button type="button" onClick={() => void toggleFullscreen(stage.current, video.current)} aria-pressed={full}
        aria-label={full ? "Leave full screen" : "Full screen"} data-testid="fullscreen">
        {full ? <CompressOutlined /> : <ExpandOutlined />}
      </button>
    </div>
  );
}
