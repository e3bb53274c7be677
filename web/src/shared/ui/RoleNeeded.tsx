import { Link } from "react-router";
import type { Role } from "../api/types";
import { PageNotice } from "./PageNotice";

export function RoleNeeded({ needs }: { needs: Role }) {
  return (
    <PageNotice title={`Your account is no ${needs}'s`}>
      <p className="muted">
        Ask an admin to give it the {needs} role. After that, sign out and in again.
      </p>
      <Link to="/">See who is live</Link>
    </PageNotice>
  );
}
