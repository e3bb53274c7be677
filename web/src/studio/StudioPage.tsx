import { hasCode } from "@shared/api/problem";
import { myStreams } from "@shared/api/streams";
import { mayActAs, useSession } from "@shared/session/session";
import { PageLoading } from "@shared/ui/PageLoading";
import { PageNotice } from "@shared/ui/PageNotice";
import { Problem } from "@shared/ui/Problem";
import { RoleNeeded } from "@shared/ui/RoleNeeded";
import { SignInNeeded } from "@shared/ui/SignInNeeded";
import { usePageTitle } from "@shared/ui/usePageTitle";
import { useResource } from "@shared/ui/useResource";
import { Studio } from "./Studio";
import "./studio.css";

export default function StudioPage() {
  usePageTitle("Studio");
  const user = useSession((state) => state.user);
  const allowed = mayActAs(user, "streamer");
  const { data: streams, error, reload } = useResource(allowed ? myStreams : null);
  if (user === null) return <SignInNeeded why="Sign in with a streamer's account to go live." />;
  if (!allowed || hasCode(error, "forbidden")) return <RoleNeeded needs="streamer" />;
  if (error && !streams) {
    return <PageNotice title="The studio could not be opened"><Problem error={error} retry={reload} /></PageNotice>;
  }
  return streams ? <Studio key={user.user_id} streams={streams} reload={reload} /> : <PageLoading />;
}
