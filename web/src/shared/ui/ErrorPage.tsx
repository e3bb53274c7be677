import { Button } from "antd";
import { useRouteError } from "react-router";
import { messageFor } from "../api/problem";
import { PageNotice } from "./PageNotice";

/** Shown when a page cannot be drawn: most often a part of it that could not be loaded. */
export function ErrorPage() {
  const error = useRouteError();
  return (
    <PageNotice title="This page could not be shown">
      <p className="muted">{messageFor(error)}</p>
      <Button type="primary" onClick={() => window.location.reload()}>Reload</Button>
    </PageNotice>
  );
}
