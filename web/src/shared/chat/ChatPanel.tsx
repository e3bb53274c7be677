import { ViewerCount } from "../ui/ViewerCount";
import type { Chat } from "./chat";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import { useChatView } from "./useChat";
import "./chat.css";

interface Props {
  chat: Chat;
  ownerId: string | null;
}

/** Fills its box, whose size never depends on what is said. */
export function ChatPanel({ chat, ownerId }: Props) {
  const { room } = useChatView(chat);
  return (
    <section className="chat panel" aria-label="Chat">
      <header className="chat-head">
        <h2>Chat</h2>
        {room.viewers !== null && <ViewerCount count={room.viewers} testId="chat-members" />}
      </header>
      <MessageList chat={chat} ownerId={ownerId} />
      <Composer chat={chat} />
    </section>
  );
}
