-- What is to be done because of an event: one task a step. Tasks of a stream are done in the order of
-- its versions; a task that gave up (dead) holds the later ones back until it was tried again.
CREATE TABLE ledger.saga_tasks (
    task_id     uuid PRIMARY KEY,
    stream_id   text NOT NULL,
    version     integer NOT NULL,  -- of the event that it answers
    step        text NOT NULL,
    state       text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done', 'dead')),
    attempts    integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- When it may be taken: while somebody works on it, the end of their lease.
    due_at      timestamptz NOT NULL,
    last_error  text,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT one_task_a_step UNIQUE (stream_id, version, step),
    CONSTRAINT finished_has_its_time CHECK ((state = 'due') = (finished_at IS NULL))
);
CREATE INDEX saga_tasks_due ON ledger.saga_tasks (due_at) WHERE state = 'due';
CREATE INDEX saga_tasks_open ON ledger.saga_tasks (stream_id, version) WHERE state <> 'done';
CREATE INDEX saga_tasks_newest ON ledger.saga_tasks (created_at, task_id);
CREATE TRIGGER append_only
    BEFORE UPDATE OF task_id, stream_id, version, step, created_at OR DELETE OR TRUNCATE
    ON ledger.saga_tasks FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
