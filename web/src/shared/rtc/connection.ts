const GATHERING_MS = 300;
/** "disconnected" often heals by itself; only after this long is it taken as a loss. */
const DISCONNECTED_MS = 5_000;

/**
 * The local offer with the candidates found in a short while. The server is ICE-lite and answers
 * whoever proves itself, so no candidate of ours is needed.
 */
export async function makeOffer(peer: RTCPeerConnection): Promise<string> {
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, GATHERING_MS);
    const check = () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
    peer.addEventListener("icegatheringstatechange", check);
    check();
  });
  const sdp = peer.localDescription?.sdp;
  if (!sdp) throw new Error("The browser made no offer. Reload the page.");
  return sdp;
}

/**
 * Tells when the peer connects and, once, that it was lost; `closedByServer` when the server said so.
 * Gives a function that stops telling.
 */
export function watchConnection(
  peer: RTCPeerConnection, connected: () => void, lost: (closedByServer: boolean) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  let told = false;
  const tell = () => {
    if (told) return;
    told = true;
    connected();
  };
  const finish = (closedByServer: boolean) => {
    if (over) return;
    over = true;
    lost(closedByServer);
  };
  // The server ends a session with a DTLS close; that shows on the transport before ICE notices.
  const transport = peer.getTransceivers()[0]?.receiver.transport ?? peer.getSenders()[0]?.transport;
  const onState = () => {
    clearTimeout(timer);
    if (over) return;
    if (peer.connectionState === "connected") tell();
    else if (peer.connectionState === "disconnected") timer = setTimeout(() => finish(false), DISCONNECTED_MS);
    else if (peer.connectionState === "failed" || peer.connectionState === "closed") finish(transport?.state === "closed");
  };
  peer.addEventListener("connectionstatechange", onState);

  const onTransport = () => {
    if (transport?.state === "closed" || transport?.state === "failed") finish(transport.state === "closed");
  };
  transport?.addEventListener("statechange", onTransport);

  // On a near server it can be connected already: what happened before this call told nobody.
  onState();
  onTransport();

  return () => {
    over = true;
    clearTimeout(timer);
    peer.removeEventListener("connectionstatechange", onState);
    transport?.removeEventListener("statechange", onTransport);
  };
}
