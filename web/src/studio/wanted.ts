import { qualityById, QUALITIES, type Quality } from "@shared/rtc/quality";

export type Source = "camera" | "screen";

/** What the person picked to send. */
export interface Wanted {
  source: Source;
  /** Device ids; null is the browser's choice. */
  cameraId: string | null;
  microphoneId: string | null;
  qualityId: string;
}

export const DEFAULT_WANTED: Wanted = {
  source: "camera", cameraId: null, microphoneId: null, qualityId: QUALITIES[0].id,
};

/** "ideal", not "exact": a camera that has no 1080p gives what it has. */
export function videoConstraints({ source, cameraId, qualityId }: Wanted): MediaTrackConstraints {
  const quality: Quality = qualityById(qualityId);
  return {
    width: { ideal: quality.width },
    height: { ideal: quality.height },
    frameRate: { ideal: quality.fps, max: quality.fps },
    ...(source === "camera" && cameraId !== null && { deviceId: { exact: cameraId } }),
  };
}

export function audioConstraints({ microphoneId }: Wanted): MediaTrackConstraints {
  return microphoneId === null ? {} : { deviceId: { exact: microphoneId } };
}
