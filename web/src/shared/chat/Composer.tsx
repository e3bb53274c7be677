import { SendOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useState, type FormEvent } from "react";
import { messageFor } from "../api/problem";
import { askToSignIn, useSession } from "../session/session";
import { useNow } from "../ui/useNow";
import type { Chat } from "./chat";
import { charsOf, composerNote } from "./composerNote";
import { useChatView } from "./useChat";

/** The send box and one line under it, which is always there so that nothing moves. */
export function Composer({ chat }: { chat: Chat }) {
  const view = useChatView(chat);
  const user = useSession((state) => state.user);
  const now = useNow(5_000);
  const [text, setText] = useState("");
  const [sending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const ready = view.status === "open";
  const tooLong = charsOf(text) > view.limits.max_text_chars;

  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready || sending || tooLong || text.trim() === "") return;
    setSending(true);
    setRefusal(null);
    try {
      await chat.say(text.trim());
      setText("");
    } catch (error) {
      setRefusal(messageFor(error));
    } finally {
      setSending(false);
    }
  };

  const note = composerNote({
    status: view.status, reason: view.reason, refusal, text, maxChars: view.limits.max_text_chars,
    timedOutUntil: user ? (view.room.timeouts[user.user_id] ?? null) : null, now,
  });
  return (
    <form className="chat-composer" onSubmit={(event) => void send(event)}>
      {user === null ? (
        <Button block onClick={askToSignIn} data-testid="chat-sign-in">Sign in to chat</Button>
      ) : (
        <div className="chat-write">
          <Input value={text} placeholder="Say something" aria-label="Message" autoComplete="off"
            status={tooLong || refusal ? "error" : ""} data-testid="chat-input"
            onChange={({ target }) => {
              setText(target.value);
              setRefusal(null);
            }} />
          <Button type="primary" htmlType="submit" icon={<SendOutlined />} aria-label="Send message"
            disabled={!ready || tooLong || text.trim() === ""} loading={sending} data-testid="chat-send" />
        </div>
      )}
      <p className={`chat-note ${note.bad ? "chat-note-bad" : "muted"}`} role="status" data-testid="chat-note">
        {note.text}
      </p>
    </form>
  );
}
