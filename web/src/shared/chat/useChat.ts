import { useEffect, useMemo } from "react";
import { useStore } from "zustand";
import { Chat, type ChatView } from "./chat";

/** The chat of a stream, open for as long as the component is shown. */
export function useChat(streamId: string): Chat {
  const chat = useMemo(() => new Chat(streamId), [streamId]);
  useEffect(() => {
    chat.open();
    return () => chat.close();
  }, [chat]);
  return chat;
}

export function useChatView(chat: Chat): ChatView {
  return useStore(chat.view);
}
