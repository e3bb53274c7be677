import { createStore } from "zustand/vanilla";
import { captureMessage } from "./captureError";
import { audioConstraints, videoConstraints, type Wanted } from "./wanted";

export interface CaptureView {
  media: MediaStream | null;
  devices: MediaDeviceInfo[];
  error: string | null;
  busy: boolean;
}

/** The camera, microphone or screen that is open. */
export class Capture {
  readonly view = createStore<CaptureView>(() => ({ media: null, devices: [], error: null, busy: false }));
  private generation = 0;

  /** Opens what is wanted and closes what was open before; null when the browser gave nothing. */
  async open(wanted: Wanted): Promise<MediaStream | null> {
    this.generation += 1;
    const { generation } = this;
    this.view.setState({ busy: true, error: null });
    try {
      const media = await ask(wanted);
      if (generation !== this.generation) {
        stopTracks(media);
        return null;
      }
      stopTracks(this.view.getState().media);
      this.view.setState({ media, busy: false });
      media.getVideoTracks()[0]?.addEventListener("ended", () => this.ended(media));
      await this.listDevices();
      return media;
    } catch (error) {
      if (generation === this.generation) this.view.setState({ busy: false, error: captureMessage(error) });
      return null;
    }
  }

  close(): void {
    this.generation += 1;
    stopTracks(this.view.getState().media);
    this.view.setState({ media: null, busy: false });
  }

  /** The person stopped sharing, or the camera was unplugged. */
  private ended(media: MediaStream): void {
    if (this.view.getState().media === media) this.close();
  }

  /** Devices have names only after the person allowed one of them. */
  private async listDevices(): Promise<void> {
    this.view.setState({ devices: await navigator.mediaDevices.enumerateDevices() });
  }
}

async function ask(wanted: Wanted): Promise<MediaStream> {
  // Capture exists in secure contexts only: HTTPS, or localhost.
  const { mediaDevices } = navigator;
  if (!mediaDevices) throw new DOMException("no capture outside secure contexts", "NotAllowedError");
  if (wanted.source === "camera") {
    return await mediaDevices.getUserMedia({ video: videoConstraints(wanted), audio: audioConstraints(wanted) });
  }
  const screen = await mediaDevices.getDisplayMedia({ video: videoConstraints(wanted), audio: true });
  if (screen.getAudioTracks().length > 0) return screen;
  const voice = await mediaDevices.getUserMedia({ audio: audioConstraints(wanted) }).catch(() => null);
  for (const track of voice?.getAudioTracks() ?? []) screen.addTrack(track);
  return screen;
}

function stopTracks(media: MediaStream | null): void {
  for (const track of media?.getTracks() ?? []) track.stop();
}
