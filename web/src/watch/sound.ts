/** How loud the person wants it, kept for the next visit. Volume 0–1. */
export interface Sound {
  volume: number;
  muted: boolean;
}

const STORAGE_KEY = "sociallive.sound";
const FIRST: Sound = { volume: 0.8, muted: false };

export function parseSound(text: string | null): Sound {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Sound> | null;
    const { volume, muted } = value ?? {};
    const valid = typeof volume === "number" && volume >= 0 && volume <= 1 && typeof muted === "boolean";
    return valid ? { volume, muted } : FIRST;
  } catch {
    return FIRST;
  }
}

export function loadSound(): Sound {
  return parseSound(localStorage.getItem(STORAGE_KEY));
}

export function saveSound(sound: Sound): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(sound));
}
