import type { Stream } from "@shared/api/types";
import { ChatPanel } from "@shared/chat/ChatPanel";
import { useChat, useChatView } from "@shared/chat/useChat";
import { isOnAir } from "@shared/rtc/broadcast";
import { useState } from "react";
import { useStore } from "zustand";
import { DeskHead } from "./DeskHead";
import { EncoderCard } from "./EncoderCard";
import { Figures } from "./Figures";
import { LeaveGuard } from "./LeaveGuard";
import { LiveControls } from "./LiveControls";
import { PayoutsCard } from "./PayoutsCard";
import { Preview } from "./Preview";
import { SourcePicker } from "./SourcePicker";
import { useBroadcast } from "./useBroadcast";
import { useServerStats } from "./useServerStats";
import { DEFAULT_WANTED } from "./wanted";

interface Props {
  stream: Stream;
  streams: Stream[];
  choose: (streamId: string) => void;
  create: () => void;
  renamed: () => void;
  /** The key of a stream that was made just now. */
  firstKey: string | null;
}

/** Everything to run one stream. */
export function Desk({ stream, streams, choose, create, renamed, firstKey }: Props) {
  const chat = useChat(stream.stream_id);
  const [wanted, setWanted] = useState(DEFAULT_WANTED);
  const { capture, publisher, goLive, stop } = useBroadcast(stream.stream_id, wanted, chat);
  const { media, devices, error, busy } = useStore(capture.view);
  const broadcast = useStore(publisher.view);
  const stats = useServerStats(stream.stream_id);
  const { room } = useChatView(chat);

  return (
    <div className="desk">
      <LeaveGuard onAir={isOnAir(broadcast.state)} />
      <div className="desk-main">
        <DeskHead stream={stream} streams={streams} choose={choose} create={create} renamed={renamed}
          state={stats?.state ?? stream.state} />
        <Preview media={media} source={wanted.source} open={() => void capture.open(wanted)} busy={busy} error={error} />
        <LiveControls broadcast={broadcast} hasMedia={media !== null} goLive={goLive} stop={stop}
          elsewhere={stats?.state === "live"} endReason={room.endReason} />
        <SourcePicker wanted={wanted} change={setWanted} devices={devices} />
        <EncoderCard stream={stream} firstKey={firstKey} />
        <PayoutsCard />
      </div>
      <div className="desk-side">
        <Figures stats={stats} broadcast={broadcast} chat={chat} />
        <div className="desk-chat">
          <ChatPanel chat={chat} ownerId={stream.owner.user_id} />
        </div>
      </div>
    </div>
  );
}
