import type { Quality } from "./quality";

const PREFERENCE = ["video/h264", "video/vp8", "video/vp9", "video/av1"];

/** H264 first: every viewer decodes it, most in hardware. Retransmission and FEC formats keep their place at the end. */
export function preferVideoCodecs(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs;
  if (!codecs || typeof transceiver.setCodecPreferences !== "function") return;
  transceiver.setCodecPreferences(inPreference(codecs));
}

export function inPreference<Codec extends { mimeType: string }>(codecs: readonly Codec[]): Codec[] {
  const rank = ({ mimeType }: Codec) => {
    const place = PREFERENCE.indexOf(mimeType.toLowerCase());
    return place === -1 ? PREFERENCE.length : place;
  };
  return codecs.toSorted((one, other) => rank(one) - rank(other));
}

export async function limitSender(sender: RTCRtpSender, quality: Quality): Promise<void> {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (!encoding) return;
  encoding.maxBitrate = quality.bitrateBps;
  encoding.maxFramerate = quality.fps;
  await sender.setParameters(parameters);
}
