import { Button } from "antd";
import { askToSignIn } from "../session/session";
import { PageNotice } from "./PageNotice";

export function SignInNeeded({ why }: { why: string }) {
  return (
    <PageNotice title="Sign in first">
      <p className="muted">{why}</p>
      <Button type="primary" onClick={askToSignIn} data-testid="page-sign-in">Sign in</Button>
    </PageNotice>
  );
}
