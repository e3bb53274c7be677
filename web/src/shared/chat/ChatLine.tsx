import { memo } from "react";
import { formatMoney } from "../format/money";
import type { Chat } from "./chat";
import type { GiftFrame, MessageFrame } from "./frames";
import { ModerationMenu } from "./ModerationMenu";
import { nameHue } from "./nameHue";
import type { Line } from "./room";

interface Props {
  line: Line;
  chat: Chat;
  ownerId: string | null;
  moderates: boolean;
  selfId: string | null;
}

export const ChatLine = memo(function ChatLine({ line, chat, ownerId, moderates, selfId }: Props) {
  const { frame, deleted } = line;
  if (frame.t === "gift") return <GiftLine frame={frame} />;
  if (deleted) return <div className="chat-line muted" data-testid="chat-deleted"><em>Message removed</em></div>;
  return (
    <div className="chat-line" data-testid="chat-message" data-message-id={frame.message_id}>
      <AuthorName frame={frame} ownerId={ownerId} /> <span className="chat-text">{frame.text}</span>
      {moderates && <ModerationMenu chat={chat} frame={frame} mayTimeOut={frame.user.user_id !== selfId} />}
    </div>
  );
});

function AuthorName({ frame, ownerId }: { frame: MessageFrame; ownerId: string | null }) {
  const badge = badgeOf(frame, ownerId);
  return (
    <>
      {badge && <span className="chat-badge">{badge}</span>}
      <span className="chat-author" data-hue={nameHue(frame.user.user_id)}>{frame.user.name}</span>
    </>
  );
}

function badgeOf({ user }: MessageFrame, ownerId: string | null): string | null {
  if (user.user_id === ownerId) return "Host";
  if (user.roles?.includes("admin")) return "Admin";
  return user.roles?.includes("moderator") ? "Mod" : null;
}

function GiftLine({ frame }: { frame: GiftFrame }) {
  return (
    <div className="chat-line chat-gift" data-testid="chat-gift">
      <span className="chat-gift-emoji" aria-hidden>{frame.emoji}</span>
      <span>
        <strong>{frame.user.name}</strong> sent {frame.count} × {frame.name}
        <span className="chat-gift-worth numbers">{formatMoney(frame.total_minor, frame.currency)}</span>
      </span>
    </div>
  );
}
