import { activeStreams, stopStream } from "@shared/api/admin";
import type { Stream } from "@shared/api/types";
import { formatDateTime } from "@shared/format/measures";
import { LiveBadge } from "@shared/ui/LiveBadge";
import { Problem } from "@shared/ui/Problem";
import { useResource } from "@shared/ui/useResource";
import { Button, Table, type TableProps } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { ReasonDialog } from "./ReasonDialog";

const EVERY_MS = 5_000;

export function StreamsTab() {
  const { data, error, loading, reload } = useResource(activeStreams, EVERY_MS);
  const [stopping, setStopping] = useState<Stream | null>(null);
  const columns: TableProps<Stream>["columns"] = [
    {
      title: "Stream", key: "title",
      render: (_, stream) => <Link to={`/watch/${stream.stream_id}`}>{stream.title}</Link>,
    },
    { title: "Streamer", key: "owner", render: (_, { owner }) => owner.display_name },
    { title: "State", key: "state", render: (_, { state }) => <LiveBadge state={state} /> },
    { title: "Watching", dataIndex: "viewers", align: "right", className: "numbers" },
    { title: "Since", key: "since", render: (_, { started_at }) => (started_at ? formatDateTime(started_at) : "–") },
    {
      title: "", key: "do", align: "right",
      render: (_, stream) => (
        <Button danger size="small" onClick={() => setStopping(stream)} data-testid="admin-stop"
          aria-label={`Stop ${stream.title}`}>Stop</Button>
      ),
    },
  ];
  const stop = async (stream: Stream, reason: string) => {
    await stopStream(stream.stream_id, reason);
    setStopping(null);
    reload();
  };
  return (
    <>
      {error ? <Problem error={error} retry={reload} /> : null}
      <Table<Stream> rowKey="stream_id" columns={columns} dataSource={data ?? []} loading={loading} pagination={false}
        scroll={{ x: "max-content" }} locale={{ emptyText: "Nobody is live right now." }} data-testid="admin-streams" />
      {stopping && (
        <ReasonDialog title={`Stop “${stopping.title}”?`} action="Stop stream" onCancel={() => setStopping(null)}
          text="The broadcast ends at once for everyone. The streamer may start again."
          onConfirm={(reason) => stop(stopping, reason)} />
      )}
    </>
  );
}
