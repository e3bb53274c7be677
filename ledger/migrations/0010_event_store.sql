-- The log of sagas and payouts: streams of events, each with an id and versions that count up.
--
-- This is not ledger.event_log: that one is what was posted, published to the world. This one is how
-- a payout or a purchase came about, read by the steps that follow.
CREATE TABLE ledger.event_store (
    position     bigint PRIMARY KEY,
    event_id     uuid NOT NULL UNIQUE,
    stream_id    text NOT NULL CHECK (length(stream_id) BETWEEN 1 AND 100),
    version      integer NOT NULL CHECK (version > 0),
    event_type   text NOT NULL,
    type_version smallint NOT NULL CHECK (type_version > 0),  -- of the shape of event_data
    event_data   jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT one_event_a_version UNIQUE (stream_id, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event_store
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- The newest position. Appends meet at this row, so positions are given in the order of the commits
-- and without holes: a reader that has seen position n will never find an event before it, and a row
-- that was taken out leaves a gap that shows.
CREATE TABLE ledger.event_store_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL
);
INSERT INTO ledger.event_store_head (position) VALUES (0);

-- How far each consumer has read.
CREATE TABLE ledger.event_store_cursors (
    consumer text PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0),
    moved_at timestamptz NOT NULL
);

-- Appends to a stream that is at `p_expected`. `result`: appended; repeated, when these very events
-- (by their ids) are there already; conflict, when other ones are. `version` is the stream's, after.
-- Call it last in a transaction: the row of the head is locked until the commit.
CREATE FUNCTION ledger.append_events(
    p_stream_id text, p_expected integer, p_at timestamptz, p_events jsonb,
    OUT result text, OUT version integer
) LANGUAGE plpgsql AS $$
DECLARE
    v_count constant integer := jsonb_array_length(p_events);
    v_position bigint;
BEGIN
    ASSERT v_count > 0 AND p_expected >= 0, 'events';
    SELECT position INTO STRICT v_position FROM ledger.event_store_head FOR NO KEY UPDATE;
    SELECT coalesce(max(s.version), 0) INTO version
        FROM ledger.event_store s WHERE s.stream_id = p_stream_id;
    IF version <> p_expected THEN
        result := CASE WHEN v_count = (
            SELECT count(*)
            FROM jsonb_array_elements(p_events) WITH ORDINALITY AS e (value, n)
            JOIN ledger.event_store s ON s.stream_id = p_stream_id
                AND s.version = p_expected + n AND s.event_id = (value ->> 'event_id')::uuid
        ) THEN 'repeated' ELSE 'conflict' END;
        RETURN;
    END IF;
    INSERT INTO ledger.event_store (
        position, event_id, stream_id, version, event_type, type_version, event_data, created_at)
    SELECT v_position + n, (value ->> 'event_id')::uuid, p_stream_id, p_expected + n,
           value ->> 'type', (value ->> 'type_version')::smallint, value -> 'data', p_at
    FROM jsonb_array_elements(p_events) WITH ORDINALITY AS e (value, n);
    UPDATE ledger.event_store_head SET position = v_position + v_count;
    version := p_expected + v_count;
    result := 'appended';
END $$;
