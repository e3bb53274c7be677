import { expect, it } from "vitest";
import { inPreference } from "./senders";

it("puts H264 first and keeps the order within a format", () => {
  const codecs = ["video/VP8", "video/rtx", "video/H264;a", "video/VP9", "video/AV1", "video/ulpfec"]
    .map((mimeType) => ({ mimeType: mimeType.replace(";a", ""), line: mimeType }));
  const twice = [...codecs, { mimeType: "video/h264", line: "video/H264;b" }];
  expect(inPreference(twice).map(({ line }) => line))
    .toEqual(["video/H264;a", "video/H264;b", "video/VP8", "video/VP9", "video/AV1", "video/rtx", "video/ulpfec"]);
});
