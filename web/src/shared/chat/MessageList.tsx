import { Button } from "antd";
import { useLayoutEffect, useRef, useState } from "react";
import type { Chat } from "./chat";
import { ChatLine } from "./ChatLine";
import { useChatView } from "./useChat";

/** Nearer to the end than this counts as being there. */
const NEAR_PX = 48;

/** Follows the newest line, until the reader scrolls up. */
export function MessageList({ chat, ownerId }: { chat: Chat; ownerId: string | null }) {
  const { room, self, status } = useChatView(chat);
  const list = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const moderates = self !== null
    && (self.user_id === ownerId || (self.roles ?? []).some((role) => role === "moderator" || role === "admin"));

  useLayoutEffect(() => {
    if (following && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [following, room.lines]);

  const onScroll = () => {
    const box = list.current;
    if (box) setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX);
  };

  return (
    <div className="chat-body">
      {/* A live region that reads every line of a busy chat aloud helps nobody: the log is silent. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area must be reachable by keyboard */}
      <div ref={list} className="chat-list" role="log" aria-live="off" aria-label="Messages" tabIndex={0}
        onScroll={onScroll} data-testid="chat-list">
        {room.lines.map((line) => (
          <ChatLine key={line.key} line={line} chat={chat} ownerId={ownerId} moderates={moderates}
            selfId={self?.user_id ?? null} />
        ))}
        {room.lines.length === 0 && (
          <p className="chat-empty muted">{status === "open" ? "No messages yet. Say hello." : "Connecting to chat…"}</p>
        )}
      </div>
      {!following && (
        <Button size="small" type="primary" className="chat-catch-up" onClick={() => setFollowing(true)}
          data-testid="chat-catch-up">Newest messages</Button>
      )}
    </div>
  );
}
