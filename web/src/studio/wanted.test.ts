import { expect, it } from "vitest";
import { audioConstraints, DEFAULT_WANTED, videoConstraints } from "./wanted";

it("asks for the quality, and for a device only where one was picked", () => {
  expect(videoConstraints({ ...DEFAULT_WANTED, qualityId: "1080p30" }))
    .toEqual({ width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30, max: 30 } });
  expect(videoConstraints({ ...DEFAULT_WANTED, cameraId: "c" })).toMatchObject({ deviceId: { exact: "c" } });
  expect(videoConstraints({ ...DEFAULT_WANTED, cameraId: "c", source: "screen" })).not.toHaveProperty("deviceId");
  expect(audioConstraints(DEFAULT_WANTED)).toEqual({});
  expect(audioConstraints({ ...DEFAULT_WANTED, microphoneId: "m" })).toEqual({ deviceId: { exact: "m" } });
});
