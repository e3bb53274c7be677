import type { Stream } from "@shared/api/types";
import { LiveBadge } from "@shared/ui/LiveBadge";
import { ViewerCount } from "@shared/ui/ViewerCount";
import { Link } from "react-router";
import { Tile } from "./Tile";

export function StreamCard({ stream }: { stream: Stream }) {
  return (
    <li>
      <Link to={`/watch/${stream.stream_id}`} className="card panel" data-testid="stream-card">
        <div className="card-picture">
          <Tile seed={stream.stream_id} name={stream.owner.display_name} />
          <span className="card-badge"><LiveBadge state={stream.state} /></span>
          <span className="card-viewers"><ViewerCount count={stream.viewers} testId="card-viewers" /></span>
        </div>
        <div className="card-text">
          <h2>{stream.title}</h2>
          <p className="muted">{stream.owner.display_name}</p>
        </div>
      </Link>
    </li>
  );
}

export function StreamCardSkeleton() {
  return (
    <li className="card panel card-skeleton" aria-hidden>
      <div className="card-picture" />
      <div className="card-text">
        <h2>&nbsp;</h2>
        <p>&nbsp;</p>
      </div>
    </li>
  );
}
