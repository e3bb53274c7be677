export interface Quality {
  id: string;
  label: string;
  width: number;
  height: number;
  fps: number;
  bitrateBps: number;
}

export const QUALITIES: readonly [Quality, ...Quality[]] = [
  { id: "720p30", label: "720p30, 2.5 Mbit/s", width: 1280, height: 720, fps: 30, bitrateBps: 2_500_000 },
  { id: "1080p30", label: "1080p30, 4.5 Mbit/s", width: 1920, height: 1080, fps: 30, bitrateBps: 4_500_000 },
  { id: "720p60", label: "720p60, 4 Mbit/s", width: 1280, height: 720, fps: 60, bitrateBps: 4_000_000 },
  { id: "480p30", label: "480p30, 1.2 Mbit/s", width: 854, height: 480, fps: 30, bitrateBps: 1_200_000 },
  { id: "360p30", label: "360p30, 0.7 Mbit/s", width: 640, height: 360, fps: 30, bitrateBps: 700_000 },
];

export function qualityById(id: string): Quality {
  return QUALITIES.find((quality) => quality.id === id) ?? QUALITIES[0];
}
