CREATE SCHEMA media;

CREATE TABLE media.streams (
    stream_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    owner_name text NOT NULL,
    title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    state text NOT NULL DEFAULT 'offline' CHECK (state IN ('offline', 'live', 'interrupted')),
    started_at timestamptz,
    created_at timestamptz NOT NULL,
    CHECK ((state = 'offline') = (started_at IS NULL))
);

COMMENT ON COLUMN media.streams.key_hash IS 'SHA-256 of the stream key; the key itself is not kept';
COMMENT ON COLUMN media.streams.started_at IS 'since when it is live, interruptions included';

CREATE INDEX streams_by_owner ON media.streams (owner_id, created_at);
CREATE INDEX streams_not_offline ON media.streams (started_at) WHERE state <> 'offline';
