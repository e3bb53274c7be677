import { decode, encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { codecFor } from "./codec";

function bufferOf(value: unknown): ArrayBuffer {
  return encode(value).slice().buffer;
}

describe("codec", () => {
  it("speaks MessagePack", () => {
    const codec = codecFor("sociallive.v1.msgpack");
    const bytes = codec.encode({ t: "say", id: 3, stream_id: "s", text: "Grüße 🌹" });
    expect(decode(bytes as Uint8Array)).toEqual({ t: "say", id: 3, stream_id: "s", text: "Grüße 🌹" });
    expect(codec.decode(bufferOf({ t: "pong", id: 1 }))).toEqual({ t: "pong", id: 1 });
  });

  it("speaks JSON", () => {
    const codec = codecFor("sociallive.v1.json");
    expect(codec.encode({ t: "ping", id: 9 })).toBe('{"t":"ping","id":9}');
    expect(codec.decode('{"t":"viewers","stream_id":"s","count":2}')).toEqual({ t: "viewers", stream_id: "s", count: 2 });
  });

  it.each([
    ["text where bytes must be", "sociallive.v1.msgpack", "{}"],
    ["a truncated map", "sociallive.v1.msgpack", new Uint8Array([0x81, 0xa1]).buffer],
    ["an array", "sociallive.v1.msgpack", bufferOf([1, 2])],
    ["a map without a type", "sociallive.v1.msgpack", bufferOf({ id: 1 })],
    ["bytes where text must be", "sociallive.v1.json", new ArrayBuffer(2)],
    ["no JSON", "sociallive.v1.json", "{"],
    ["null", "sociallive.v1.json", "null"],
    ["a type that is no string", "sociallive.v1.json", '{"t":1}'],
  ])("gives null for %s", (_, subprotocol, data) => {
    expect(codecFor(subprotocol).decode(data)).toBeNull();
  });
});
