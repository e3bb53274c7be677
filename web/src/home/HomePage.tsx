import { liveStreams } from "@shared/api/streams";
import { Problem } from "@shared/ui/Problem";
import { usePageTitle } from "@shared/ui/usePageTitle";
import { useResource } from "@shared/ui/useResource";
import { Link } from "react-router";
import { StreamCard, StreamCardSkeleton } from "./StreamCard";
import "./home.css";

const EVERY_MS = 5_000;

export function HomePage() {
  usePageTitle("Live now");
  const { data: streams, error, loading, reload } = useResource(liveStreams, EVERY_MS);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Live now</h1>
      </div>
      {error && !streams ? <Problem error={error} retry={reload} /> : null}
      {loading && (
        <ul className="cards" aria-label="Loading live channels" aria-busy="true">
          {["one", "two", "three"].map((key) => <StreamCardSkeleton key={key} />)}
        </ul>
      )}
      {streams && streams.length > 0 && (
        <ul className="cards" data-testid="streams">
          {streams.map((stream) => <StreamCard key={stream.stream_id} stream={stream} />)}
        </ul>
      )}
      {streams?.length === 0 && (
        <div className="cards-empty panel" data-testid="no-streams">
          <h2>Nobody is live right now</h2>
          <p className="muted">Channels appear here as soon as they start. This list keeps itself up to date.</p>
          <Link to="/studio">Go live yourself</Link>
        </div>
      )}
    </div>
  );
}
