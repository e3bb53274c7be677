import type { Stream, StreamWithKey } from "@shared/api/types";
import { useState } from "react";
import { CreateStream } from "./CreateStream";
import { Desk } from "./Desk";

interface Props {
  streams: Stream[];
  reload: () => void;
}

/** One desk for the stream that is chosen; the first visit makes a stream. */
export function Studio({ streams, reload }: Props) {
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<StreamWithKey | null>(null);

  const known = made && !streams.some(({ stream_id }) => stream_id === made.stream_id) ? [made, ...streams] : streams;
  const stream = known.find(({ stream_id }) => stream_id === chosenId) ?? known[0];
  const created = (fresh: StreamWithKey) => {
    setMade(fresh);
    setChosenId(fresh.stream_id);
    setCreating(false);
    reload();
  };

  if (creating || !stream) {
    return <CreateStream created={created} {...(stream && { cancel: () => setCreating(false) })} />;
  }
  return (
    <Desk key={stream.stream_id} stream={stream} streams={known} choose={setChosenId} create={() => setCreating(true)}
      renamed={reload} firstKey={made?.stream_id === stream.stream_id ? made.stream_key : null} />
  );
}
