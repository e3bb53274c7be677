import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import { loadSound, saveSound, type Sound } from "./sound";

interface VideoControl {
  video: RefObject<HTMLVideoElement | null>;
  sound: Sound;
  /** The browser refused to start with sound; a tap is needed. */
  blocked: boolean;
  setVolume: (volume: number) => void;
  setMuted: (muted: boolean) => void;
}

/** Plays media in the video element that takes the ref which this gives. */
export function useVideo(media: MediaStream | null): VideoControl {
  const video = useRef<HTMLVideoElement>(null);
  const [sound, setSound] = useState(loadSound);
  const [blocked, setBlocked] = useState(false);

  useEffect(() => {
    if (!video.current) return;
    video.current.volume = sound.volume;
    video.current.muted = sound.muted || blocked;
  }, [sound, blocked]);

  const start = useCallback(async (element: HTMLVideoElement) => {
    try {
      await element.play();
    } catch (error) {
      // Autoplay with sound needs a gesture; without sound it is always allowed.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      setBlocked(true);
      element.muted = true;
      await element.play().catch(() => undefined);
    }
  }, []);

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = media;
    if (media) void start(element);
  }, [media, start]);

  const change = useCallback((next: Sound) => {
    setBlocked(false);
    setSound(next);
    saveSound(next);
    void video.current?.play().catch(() => undefined);
  }, []);

  return {
    video,
    sound: blocked ? { ...sound, muted: true } : sound,
    blocked,
    setVolume: (volume) => change({ volume, muted: volume === 0 }),
    setMuted: (muted) => change({ volume: !muted && sound.volume === 0 ? 0.5 : sound.volume, muted }),
  };
}
