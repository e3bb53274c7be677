import { stopMyStream } from "@shared/api/streams";
import type { Chat } from "@shared/chat/chat";
import { isOnAir } from "@shared/rtc/broadcast";
import { Publisher } from "@shared/rtc/publisher";
import { qualityById } from "@shared/rtc/quality";
import { useEffect, useMemo, useRef } from "react";
import { Capture } from "./capture";
import type { Wanted } from "./wanted";

interface Broadcast {
  capture: Capture;
  publisher: Publisher;
  goLive: () => Promise<void>;
  stop: () => Promise<void>;
}

/** The capture and the publisher of one stream, kept in step with what is wanted. */
export function useBroadcast(streamId: string, wanted: Wanted, chat: Chat): Broadcast {
  const capture = useMemo(() => new Capture(), []);
  const publisher = useMemo(() => new Publisher(`/whip/${streamId}`), [streamId]);

  useEffect(() => () => {
    capture.close();
    void publisher.stop();
  }, [capture, publisher]);

  useEffect(() => chat.listen((frame) => {
    if (frame.t === "stream" && frame.reconnect) void publisher.check();
  }), [chat, publisher]);

  // Another device or quality while something is open: open that, and put it on air where we are.
  const applied = useRef(wanted);
  useEffect(() => {
    if (applied.current === wanted) return;
    applied.current = wanted;
    if (capture.view.getState().media === null) return;
    void capture.open(wanted).then((media) => {
      if (media && isOnAir(publisher.view.getState().state)) {
        void publisher.replace(media, qualityById(wanted.qualityId));
      }
    });
  }, [capture, publisher, wanted]);

  // A capture that ends by itself ends the broadcast: viewers should not look at a frozen picture.
  useEffect(() => capture.view.subscribe(({ media }, before) => {
    if (media === null && before.media !== null && isOnAir(publisher.view.getState().state)) void publisher.stop();
  }), [capture, publisher]);

  const goLive = async () => {
    const media = capture.view.getState().media ?? await capture.open(wanted);
    if (media) publisher.start(media, qualityById(wanted.qualityId));
  };
  const stop = async () => {
    await publisher.stop();
    await stopMyStream(streamId);
  };
  return { capture, publisher, goLive, stop };
}
