import { Link } from "react-router";
import { PageNotice } from "./PageNotice";

export function NotFound() {
  return (
    <PageNotice title="There is no such page">
      <p className="muted">The address may be mistyped, or the stream was removed.</p>
      <Link to="/">See who is live</Link>
    </PageNotice>
  );
}
