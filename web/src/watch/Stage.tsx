import type { Player } from "@shared/rtc/player";
import { useRef, useState, type ReactNode } from "react";
import { useStore } from "zustand";
import { StageControls } from "./StageControls";
import { StageMessage } from "./StageMessage";
import { StatsOverlay } from "./StatsOverlay";
import { TapForSound } from "./TapForSound";
import { useVideo } from "./useVideo";

interface Props {
  player: Player;
  title: string;
  children: ReactNode;
}

/** The picture and what lies over it. Its box keeps 16:9 whatever the state. */
export function Stage({ player, title, children }: Props) {
  const { state, media, figures, reason } = useStore(player.view);
  const stage = useRef<HTMLDivElement>(null);
  const [showingStats, setShowingStats] = useState(false);
  const { video, sound, blocked, setVolume, setMuted } = useVideo(media);

  return (
    <div className="stage" ref={stage}>
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- a live stream carries no captions */}
      <video ref={video} className="stage-video" playsInline data-testid="player-video" data-state={state}
        aria-label={`Live video: ${title}`} />
      {children}
      <StageMessage state={state} reason={reason} retry={() => player.open()} />
      {showingStats && <StatsOverlay figures={figures} />}
      {blocked && media && <TapForSound onTap={() => setMuted(false)} />}
      <StageControls stage={stage} video={video} sound={sound} setVolume={setVolume} setMuted={setMuted}
        showingStats={showingStats} toggleStats={() => setShowingStats(!showingStats)} />
    </div>
  );
}
