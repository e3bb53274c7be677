import { lazy } from "react";
import { createBrowserRouter, RouterProvider } from "react-router";
import { ErrorPage } from "@shared/ui/ErrorPage";
import { NotFound } from "@shared/ui/NotFound";
import { Shell } from "@shared/ui/Shell";
import { Theme } from "@shared/ui/Theme";
import { HomePage } from "./home/HomePage";

const WatchPage = lazy(() => import("./watch/WatchPage"));
const StudioPage = lazy(() => import("./studio/StudioPage"));
const AdminPage = lazy(() => import("./admin/AdminPage"));

const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <ErrorPage />,
    children: [
      { path: "/", element: <HomePage /> },
      { path: "/watch/:streamId", element: <WatchPage /> },
      { path: "/studio", element: <StudioPage /> },
      { path: "/admin", element: <AdminPage /> },
      { path: "*", element: <NotFound /> },
    ],
  },
]);

export function App() {
  return (
    <Theme>
      <RouterProvider router={router} />
    </Theme>
  );
}
