import { decode, encode } from "@msgpack/msgpack";
import type { ClientFrame, ServerFrame } from "./frames";

/** The subprotocols, best first. */
export const SUBPROTOCOLS = ["sociallive.v1.msgpack", "sociallive.v1.json"] as const;

export type Numbered = ClientFrame & { id?: number };

export interface Codec {
  encode(frame: Numbered): Uint8Array<ArrayBuffer> | string;
  /** The frame in a WebSocket message; null for anything that is none. */
  decode(data: unknown): ServerFrame | null;
}

const msgpack: Codec = {
  encode: (frame) => encode(frame),
  decode: (data) => (data instanceof ArrayBuffer ? guarded(() => decode(data)) : null),
};

const json: Codec = {
  encode: (frame) => JSON.stringify(frame),
  decode: (data) => (typeof data === "string" ? guarded(() => JSON.parse(data)) : null),
};

export function codecFor(subprotocol: string): Codec {
  return subprotocol === "sociallive.v1.msgpack" ? msgpack : json;
}

function guarded(read: () => unknown): ServerFrame | null {
  try {
    const value = read();
    const isFrame = typeof value === "object" && value !== null && "t" in value && typeof value.t === "string";
    return isFrame ? (value as ServerFrame) : null;
  } catch {
    return null;
  }
}
