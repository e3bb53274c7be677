import { ConfigProvider, theme, type ThemeConfig } from "antd";
import { useMemo, useSyncExternalStore, type ReactNode } from "react";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function subscribe(changed: () => void): () => void {
  dark.addEventListener("change", changed);
  return () => dark.removeEventListener("change", changed);
}

/** antd in the palette of base.css, light or dark as the system is. */
export function Theme({ children }: { children: ReactNode }) {
  const isDark = useSyncExternalStore(subscribe, () => dark.matches);
  const config = useMemo(() => themeFor(isDark), [isDark]);
  return <ConfigProvider theme={config}>{children}</ConfigProvider>;
}

function themeFor(isDark: boolean): ThemeConfig {
  const style = getComputedStyle(document.documentElement);
  const property = (name: string) => style.getPropertyValue(name).trim();
  return {
    algorithm: isDark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      colorPrimary: property("--accent"),
      colorLink: property("--accent"),
      colorError: property("--live"),
      colorErrorBg: property("--live-soft"),
      colorSuccess: property("--good"),
      colorSuccessBg: property("--good-soft"),
      colorWarning: property("--gold"),
      colorWarningBg: property("--gold-soft"),
      colorBgBase: property("--surface"),
      colorBgContainer: property("--surface"),
      colorBgElevated: property(isDark ? "--raised" : "--surface"),
      colorBgLayout: property("--canvas"),
      colorTextBase: property("--text"),
      colorBorder: property("--line"),
      colorBorderSecondary: property("--line"),
      fontFamily: property("--font"),
      fontFamilyCode: property("--mono"),
      fontSize: 15,
      borderRadius: 8,
    },
    components: {
      Button: { primaryColor: property("--on-accent"), primaryShadow: "none", defaultShadow: "none", dangerShadow: "none" },
    },
  };
}
