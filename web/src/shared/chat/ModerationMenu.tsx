import { MoreOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useState } from "react";
import { messageFor } from "../api/problem";
import type { Chat } from "./chat";
import type { MessageFrame } from "./frames";

interface Props {
  chat: Chat;
  frame: MessageFrame;
  mayTimeOut: boolean;
}

const TIMEOUTS: readonly { seconds: number; label: string }[] = [
  { seconds: 60, label: "Time out for 1 minute" },
  { seconds: 600, label: "Time out for 10 minutes" },
  { seconds: 86_400, label: "Time out for 1 day" },
  { seconds: 0, label: "Lift the time-out" },
];

/** What a moderator may do with a message and its author. The menu is made when it is first asked for. */
export function ModerationMenu({ chat, frame, mayTimeOut }: Props) {
  const [asked, setAsked] = useState(false);
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = (work: Promise<void>) => {
    setError(null);
    work.catch((refusal: unknown) => setError(messageFor(refusal)));
  };
  const ask = () => {
    if (asked) return;
    setAsked(true);
    setOpen(true);
  };
  const button = (
    <Button size="small" icon={<MoreOutlined />} className="chat-moderate" onClick={ask}
      aria-label={`Moderate the message of ${frame.user.name}`} data-testid="chat-moderate" />
  );
  const choose = ({ key }: { key: string }) => {
    if (key === "delete") run(chat.delete(frame.message_id));
    else run(chat.timeOut(frame.user.user_id, Number(key)));
  };
  return (
    <>
      {asked ? (
        <Dropdown trigger={["click"]} open={open} onOpenChange={setOpen} placement="bottomRight" menu={{
          onClick: choose,
          items: [
            { key: "delete", label: <span data-testid="chat-delete">Delete message</span>, danger: true },
            ...(mayTimeOut ? TIMEOUTS.map(({ seconds, label }) => (
              { key: String(seconds), label: <span data-testid={`chat-timeout-${seconds}`}>{label}</span> })) : []),
          ],
        }}>{button}</Dropdown>
      ) : button}
      {error && <div className="chat-line-error" role="alert">{error}</div>}
    </>
  );
}
