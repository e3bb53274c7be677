import { useCallback, useSyncExternalStore, type RefObject } from "react";

function subscribe(changed: () => void): () => void {
  document.addEventListener("fullscreenchange", changed);
  return () => document.removeEventListener("fullscreenchange", changed);
}

export function useFullscreen(stage: RefObject<HTMLElement | null>): boolean {
  const isFull = useCallback(
    () => document.fullscreenElement !== null && document.fullscreenElement === stage.current, [stage]);
  return useSyncExternalStore(subscribe, isFull);
}
