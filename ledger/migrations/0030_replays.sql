-- Replays of the log for consumers of the event stream: see ledger/replays.py.
CREATE TABLE ledger.replays (
    replay_id     uuid PRIMARY KEY,
    consumer      text NOT NULL CHECK (consumer ~ '^[a-z0-9_-]{1,64}$'),
    position      bigint NOT NULL CHECK (position >= 0),  -- handed over up to here
    until         bigint NOT NULL,
    reason        text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    requested_at  timestamptz NOT NULL,
    -- Who carries it out; when that is over, somebody else may.
    claimed_by    uuid,
    claimed_until timestamptz,
    finished_at   timestamptz,
    CHECK (position <= until OR finished_at IS NOT NULL)
);
CREATE UNIQUE INDEX open_replays ON ledger.replays (consumer, position, until)
    WHERE finished_at IS NULL;
CREATE INDEX replays_of_consumer ON ledger.replays (consumer, replay_id DESC);
