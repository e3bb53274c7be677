import type { Stream } from "@shared/api/types";
import type { Chat } from "@shared/chat/chat";
import { useChatView } from "@shared/chat/useChat";
import { LiveBadge } from "@shared/ui/LiveBadge";
import { ViewerCount } from "@shared/ui/ViewerCount";

export function StreamInfo({ stream, chat }: { stream: Stream; chat: Chat }) {
  const { room } = useChatView(chat);
  return (
    <div className="watch-info">
      <div className="watch-title">
        <h1 title={stream.title} data-testid="stream-title">{stream.title}</h1>
        <p className="muted">{stream.owner.display_name}</p>
      </div>
      <div className="watch-facts">
        <LiveBadge state={room.streamState ?? stream.state} />
        <ViewerCount count={room.viewers ?? stream.viewers} />
      </div>
    </div>
  );
}
