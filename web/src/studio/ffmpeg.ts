/** A command that publishes a file; without B-frames, which WebRTC has not. */
export function ffmpegCommand(whipUrl: string, key: string | null): string {
  return [
    "ffmpeg -re -i input.mp4",
    "-c:v libx264 -profile:v baseline -preset veryfast -tune zerolatency -pix_fmt yuv420p -bf 0 -g 60 -b:v 2500k",
    "-c:a libopus -ar 48000 -ac 2 -b:a 128k",
    `-f whip -authorization "${key ?? "YOUR_STREAM_KEY"}" "${whipUrl}"`,
  ].join(" ");
}
