import { hasCode } from "@shared/api/problem";
import { streamById } from "@shared/api/streams";
import { ChatPanel } from "@shared/chat/ChatPanel";
import { useChat } from "@shared/chat/useChat";
import { useSession } from "@shared/session/session";
import { NotFound } from "@shared/ui/NotFound";
import { PageLoading } from "@shared/ui/PageLoading";
import { PageNotice } from "@shared/ui/PageNotice";
import { Problem } from "@shared/ui/Problem";
import { usePageTitle } from "@shared/ui/usePageTitle";
import { useResource } from "@shared/ui/useResource";
import { useCallback } from "react";
import { useParams } from "react-router";
import type { Stream } from "@shared/api/types";
import { GiftOverlay } from "./GiftOverlay";
import { GiftTray } from "./GiftTray";
import { Stage } from "./Stage";
import { StreamInfo } from "./StreamInfo";
import { usePlayer } from "./usePlayer";
import "./watch.css";

export default function WatchPage() {
  const { streamId = "" } = useParams();
  const { data: stream, error, reload } = useResource(
    useCallback((signal: AbortSignal) => streamById(streamId, signal), [streamId]));
  if (hasCode(error, "unknown_stream", "not_found", "invalid_request")) return <NotFound />;
  if (error && !stream) {
    return <PageNotice title="This stream could not be opened"><Problem error={error} retry={reload} /></PageNotice>;
  }
  return stream ? <Watch key={stream.stream_id} stream={stream} /> : <PageLoading />;
}

function Watch({ stream }: { stream: Stream }) {
  usePageTitle(stream.title);
  const userId = useSession((state) => state.user?.user_id);
  const chat = useChat(stream.stream_id);
  const player = usePlayer(stream.whep_url, chat);
  return (
    <div className="watch">
      <div className="watch-main">
        <Stage player={player} title={stream.title}>
          <GiftOverlay chat={chat} />
        </Stage>
        <StreamInfo stream={stream} chat={chat} />
        <GiftTray key={userId} stream={stream} chat={chat} />
      </div>
      <div className="watch-chat">
        <ChatPanel chat={chat} ownerId={stream.owner.user_id} />
      </div>
    </div>
  );
}
