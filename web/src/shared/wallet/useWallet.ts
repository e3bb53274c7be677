import { useEffect } from "react";
import { create } from "zustand";
import { wallet as fetchWallet } from "../api/wallet";
import type { Wallet } from "../api/types";
import { useSession } from "../session/session";

const useStore = create<{ of: string | null; wallet: Wallet | null }>(() => ({ of: null, wallet: null }));

/** The signed-in person's wallet; null for a guest and until it is known. */
export function useWallet(): Wallet | null {
  const userId = useSession((state) => state.user?.user_id ?? null);
  const { of, wallet } = useStore();
  useEffect(() => {
    if (userId !== null && useStore.getState().of !== userId) {
      useStore.setState({ of: userId, wallet: null });
      void reloadWallet();
    }
  }, [userId]);
  return userId !== null && of === userId ? wallet : null;
}

/** Asks the server again; on failure what was known stays. */
export async function reloadWallet(): Promise<void> {
  const { of } = useStore.getState();
  if (of === null) return;
  const wallet = await fetchWallet().catch(() => null);
  if (wallet !== null && useStore.getState().of === of) useStore.setState({ wallet });
}

/** A receipt told the new balance. */
export function balanceIs(balanceMinor: number): void {
  useStore.setState(({ wallet }) => ({ wallet: wallet && { ...wallet, balance_minor: balanceMinor } }));
}
