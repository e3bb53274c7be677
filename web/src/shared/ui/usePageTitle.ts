import { useEffect } from "react";

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Social Live`;
    return () => {
      document.title = "Social Live";
    };
  }, [title]);
}
