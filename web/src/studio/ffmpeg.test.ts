import { expect, it } from "vitest";
import { ffmpegCommand } from "./ffmpeg";

it("publishes by WHIP with the key, and says where the key belongs when it is not known", () => {
  expect(ffmpegCommand("http://h/whip/1", "sk_x")).toContain('-f whip -authorization "sk_x" "http://h/whip/1"');
  expect(ffmpegCommand("http://h/whip/1", null)).toContain('"YOUR_STREAM_KEY"');
});
