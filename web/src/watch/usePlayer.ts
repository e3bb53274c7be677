import type { Chat } from "@shared/chat/chat";
import { Player } from "@shared/rtc/player";
import { useEffect, useMemo } from "react";

/** A player of the stream, open for as long as the page is; the chat tells it of starts and ends. */
export function usePlayer(whepUrl: string, chat: Chat): Player {
  const player = useMemo(() => new Player(whepUrl), [whepUrl]);
  useEffect(() => {
    player.open();
    return () => player.close();
  }, [player]);

  useEffect(() => chat.listen((frame) => {
    if (frame.t !== "stream") return;
    if (frame.reconnect) void player.check();
    if (frame.state !== "interrupted") player.hint(frame.state === "live");
  }), [player, chat]);
  return player;
}
