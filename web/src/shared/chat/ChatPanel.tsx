import type { Chat } from "./chat";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import "./chat.css";

interface Props {
  chat: Chat;
  ownerId: string | null;
}

/** Fills its box, whose size never depends on what is said. */
export function ChatPanel({ chat, ownerId }: Props) {
  return (
    <section className="chat panel" aria-label="Chat">
      <header className="chat-head">
        <h2>Chat</h2>
      </header>
      <MessageList chat={chat} ownerId={ownerId} />
      <Composer chat={chat} />
    </section>
  );
}
