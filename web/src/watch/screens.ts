/** Safari on iPhone has full screen for video elements only. */
interface AppleVideo extends HTMLVideoElement {
  webkitEnterFullscreen?: () => void;
}

export async function toggleFullscreen(stage: HTMLElement | null, video: AppleVideo | null): Promise<void> {
  if (document.fullscreenElement) return await document.exitFullscreen();
  if (stage?.requestFullscreen) return await stage.requestFullscreen().catch(() => undefined);
  video?.webkitEnterFullscreen?.();
}

export function canFloat(): boolean {
  return document.pictureInPictureEnabled === true;
}

export async function toggleFloating(video: HTMLVideoElement | null): Promise<void> {
  if (document.pictureInPictureElement) await document.exitPictureInPicture();
  else await video?.requestPictureInPicture().catch(() => undefined);
}
