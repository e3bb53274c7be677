import type { Chat } from "@shared/chat/chat";
import type { Wallet } from "@shared/api/types";
import { reloadWallet, useWallet } from "@shared/wallet/useWallet";
import { useEffect } from "react";

const TOGETHER_MS = 500;

/** The wallet, asked for again after gifts; many gifts at once ask once. */
export function useEarnings(chat: Chat): Wallet | null {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stopListening = chat.listen((frame) => {
      if (frame.t !== "gift") return;
      timer ??= setTimeout(() => {
        timer = undefined;
        void reloadWallet();
      }, TOGETHER_MS);
    });
    return () => {
      clearTimeout(timer);
      stopListening();
    };
  }, [chat]);
  return useWallet();
}
