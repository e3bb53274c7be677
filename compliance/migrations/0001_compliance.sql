CREATE SCHEMA compliance;

-- Gifts as the checks remember them. The primary key is what drops repeats of an event.
CREATE TABLE compliance.aml_activity (
    event_id       uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    payer_id       uuid NOT NULL,
    payee_id       uuid NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    occurred_at    timestamptz NOT NULL
);
CREATE INDEX aml_activity_velocity ON compliance.aml_activity (payer_id, occurred_at);
CREATE INDEX aml_activity_structuring
    ON compliance.aml_activity (payer_id, amount_minor, occurred_at);
CREATE INDEX aml_activity_age ON compliance.aml_activity (occurred_at);

-- Sums of the same gifts for each pair of accounts and hour since 1970.
CREATE TABLE compliance.aml_edges (
    payer_id     uuid NOT NULL,
    payee_id     uuid NOT NULL,
    hour         integer NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (payer_id, hour, payee_id)
);
CREATE INDEX aml_edges_age ON compliance.aml_edges (hour);

CREATE TABLE compliance.aml_alerts (
    alert_id       uuid PRIMARY KEY,
    user_id        uuid NOT NULL,
    transaction_id uuid NOT NULL,
    alert_type     text NOT NULL,
    risk_score     smallint NOT NULL CHECK (risk_score BETWEEN 1 AND 100),
    status         text NOT NULL CHECK (status IN ('open', 'assigned', 'resolved')),
    reasons        jsonb NOT NULL,
    event_ids      uuid[] NOT NULL,
    assigned_to    uuid,
    assigned_by    uuid,
    outcome        text CHECK (outcome IN ('cleared', 'confirmed')),
    note           text CHECK (length(note) BETWEEN 1 AND 2000),
    resolved_by    uuid,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    resolved_at    timestamptz,
    CHECK ((status = 'assigned') <= (assigned_to IS NOT NULL)),
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK ((status = 'resolved') = (outcome IS NOT NULL))
);
CREATE INDEX aml_alerts_status ON compliance.aml_alerts (status, alert_id DESC);
CREATE INDEX aml_alerts_judged
    ON compliance.aml_alerts (user_id, alert_type, resolved_at) WHERE status = 'resolved';
CREATE UNIQUE INDEX aml_alerts_unresolved
    ON compliance.aml_alerts (user_id, alert_type) WHERE status <> 'resolved';

CREATE TABLE compliance.audit_logs (
    record_id  uuid PRIMARY KEY,
    actor_id   uuid,
    action     text NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
    subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    details    jsonb NOT NULL CHECK (jsonb_typeof(details) = 'object'),
    created_at timestamptz NOT NULL
);

CREATE FUNCTION compliance.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'compliance.audit_logs is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_logs_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON compliance.audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION compliance.refuse_change();
