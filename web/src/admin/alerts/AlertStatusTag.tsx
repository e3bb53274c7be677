import type { Alert } from "@shared/api/types";
import { Tag } from "antd";

export function AlertStatusTag({ alert, selfId }: { alert: Alert; selfId: string | null }) {
  const [color, text] = wordsFor(alert, selfId);
  return <Tag color={color} data-testid="alert-status">{text}</Tag>;
}

function wordsFor({ status, assigned_to, outcome }: Alert, selfId: string | null): [string, string] {
  if (status === "resolved") return [outcome === "confirmed" ? "error" : "success", outcome ?? "resolved"];
  if (status === "assigned") return ["processing", assigned_to === selfId ? "assigned to you" : "assigned"];
  return ["warning", "open"];
}
