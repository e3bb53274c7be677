import type { ReactNode } from "react";

/** A page that says one thing, and what to do next. */
export function PageNotice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="page-notice">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
