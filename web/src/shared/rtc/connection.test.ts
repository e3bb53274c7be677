import { describe, expect, it, vi } from "vitest";
import { watchConnection } from "./connection";

class FakePeer extends EventTarget {
  connectionState: RTCPeerConnectionState = "new";

  getTransceivers() {
    return [];
  }

  getSenders() {
    return [];
  }

  become(state: RTCPeerConnectionState) {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
}

function watch(peer: FakePeer) {
  const connected = vi.fn<() => void>();
  const lost = vi.fn<() => void>();
  const stop = watchConnection(peer as unknown as RTCPeerConnection, connected, lost);
  return { connected, lost, stop };
}

describe("watchConnection", () => {
  it("tells of a peer that was connected before anyone listened", () => {
    const peer = new FakePeer();
    peer.connectionState = "connected";
    expect(watch(peer).connected).toHaveBeenCalledOnce();
  });

  it("tells once, however often the browser does", () => {
    const peer = new FakePeer();
    const { connected } = watch(peer);
    peer.become("connected");
    peer.become("connected");
    expect(connected).toHaveBeenCalledOnce();
  });

  it("tells once that it was lost, and nothing after that", () => {
    const peer = new FakePeer();
    const { connected, lost } = watch(peer);
    peer.become("failed");
    peer.become("connected");
    peer.become("closed");
    expect(lost).toHaveBeenCalledOnce();
    expect(connected).not.toHaveBeenCalled();
  });

  it("tells nothing once it was stopped", () => {
    const peer = new FakePeer();
    const { lost, stop } = watch(peer);
    stop();
    peer.become("failed");
    expect(lost).not.toHaveBeenCalled();
  });
});
