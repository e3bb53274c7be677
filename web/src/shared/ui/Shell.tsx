import { lazy, Suspense, useEffect } from "react";
import { Outlet } from "react-router";
import { refreshUser, useSession } from "../session/session";
import { Header } from "./Header";
import { PageLoading } from "./PageLoading";
import "./shell.css";

const SignInDialog = lazy(() => import("./SignInDialog"));

/** What is around every page. */
export function Shell() {
  const asking = useSession((state) => state.asking);
  useEffect(() => {
    void refreshUser();
  }, []);
  return (
    <>
      <a className="skip-link" href="#main">Skip to content</a>
      <Header />
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<PageLoading />}>
          <Outlet />
        </Suspense>
      </main>
      {asking && (
        <Suspense fallback={null}>
          <SignInDialog />
        </Suspense>
      )}
    </>
  );
}
