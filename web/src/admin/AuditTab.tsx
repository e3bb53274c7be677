import { auditRecords } from "@shared/api/admin";
import type { AuditRecord } from "@shared/api/types";
import { asWords, formatDateTime } from "@shared/format/measures";
import { shortIds } from "@shared/format/ids";
import { useCursor } from "@shared/ui/useCursor";
import type { TableProps } from "antd";
import { namedFigure } from "./alerts/figureText";
import { ListTable } from "./ListTable";

const COLUMNS: TableProps<AuditRecord>["columns"] = [
  { title: "When", key: "when", render: (_, { created_at }) => formatDateTime(created_at) },
  { title: "Action", key: "action", render: (_, { action }) => asWords(action) },
  { title: "Subject", key: "subject", render: (_, { subject }) => <Id text={subject} /> },
  { title: "By", key: "by", render: (_, { actor_id }) => (actor_id ? <Id text={actor_id} /> : "the server") },
  {
    title: "Details", key: "details",
    render: (_, { details }) => (
      <div className="audit-details">
        {Object.entries(details).map((entry) => namedFigure(...entry))
          .map(({ name, text }) => `${name}: ${shortIds(text)}`).join(" · ")}
      </div>
    ),
  },
];

export function AuditTab() {
  const pages = useCursor(auditRecords, "audit");
  return <ListTable pages={pages} columns={COLUMNS} rowKey="record_id" testId="admin-audit" empty="Nothing was recorded yet." />;
}

function Id({ text }: { text: string }) {
  return <code className="audit-id" title={text}>{shortIds(text)}</code>;
}
