import { EditOutlined, PlusOutlined } from "@ant-design/icons";
import { messageFor } from "@shared/api/problem";
import { renameStream } from "@shared/api/streams";
import type { Stream, StreamState } from "@shared/api/types";
import { LiveBadge } from "@shared/ui/LiveBadge";
import { Button, Input, Select } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { TITLE_MAX } from "./CreateStream";

interface Props {
  stream: Stream;
  streams: Stream[];
  choose: (streamId: string) => void;
  create: () => void;
  renamed: () => void;
  state: StreamState;
}

export function DeskHead({ stream, streams, choose, create, renamed, state }: Props) {
  const [editing, setEditing] = useState(false);
  return (
    <div className="desk-head">
      {editing
        ? <TitleForm stream={stream} renamed={renamed} close={() => setEditing(false)} />
        : (
          <div className="desk-title">
            <h1 data-testid="stream-title">{stream.title}</h1>
            <Button type="text" icon={<EditOutlined />} aria-label="Edit the title" data-testid="edit-title"
              onClick={() => setEditing(true)} />
            <LiveBadge state={state} />
          </div>
        )}
      <div className="desk-streams">
        {streams.length > 1 && (
          <Select value={stream.stream_id} onChange={choose} aria-label="Stream" className="desk-select"
            options={streams.map(({ stream_id, title }) => ({ value: stream_id, label: title }))} />
        )}
        <Button icon={<PlusOutlined />} onClick={create} data-testid="new-stream">New stream</Button>
        <Link to={`/watch/${stream.stream_id}`} target="_blank" data-testid="open-watch">Watch page</Link>
      </div>
    </div>
  );
}

function TitleForm({ stream, renamed, close }: { stream: Stream; renamed: () => void; close: () => void }) {
  const [title, setTitle] = useState(stream.title);
  const [error, setError] = useState<string | null>(null);
  const save = async () => {
    try {
      await renameStream(stream.stream_id, title.trim());
      renamed();
      close();
    } catch (refusal) {
      setError(messageFor(refusal));
    }
  };
  return (
    <form className="desk-title" onSubmit={(event) => {
      event.preventDefault();
      void save();
    }}>
      <Input value={title} maxLength={TITLE_MAX} autoFocus aria-label="Title" data-testid="stream-title-input"
        status={error ? "error" : ""} onChange={({ target }) => setTitle(target.value)}
        onKeyDown={({ key }) => key === "Escape" && close()} />
      <Button type="primary" htmlType="submit" disabled={title.trim() === ""} data-testid="save-title">Save</Button>
      <Button type="text" onClick={close}>Cancel</Button>
      {error && <span role="alert" className="form-error">{error}</span>}
    </form>
  );
}
