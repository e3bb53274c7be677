-- name: get
SELECT * FROM compliance.aml_alerts WHERE alert_id = $1

-- name: lock
SELECT * FROM compliance.aml_alerts WHERE alert_id = $1 FOR UPDATE

-- name: newest
SELECT * FROM compliance.aml_alerts
WHERE ($1::text IS NULL OR status = $1) AND ($2::uuid IS NULL OR alert_id < $2)
ORDER BY alert_id DESC
LIMIT $3

-- name: unresolved
SELECT * FROM compliance.aml_alerts
WHERE user_id = ANY($1::uuid[]) AND status <> 'resolved'
ORDER BY alert_id
FOR UPDATE

-- name: unresolved_of
SELECT * FROM compliance.aml_alerts
WHERE user_id = $1 AND status <> 'resolved'
ORDER BY alert_id

-- name: judged
-- Of each user and type the one judged worst since the time given.
SELECT DISTINCT ON (user_id, alert_type) *
FROM compliance.aml_alerts
WHERE user_id = ANY($1::uuid[]) AND status = 'resolved' AND resolved_at > $2
ORDER BY user_id, alert_type, risk_score DESC

-- name: save
INSERT INTO compliance.aml_alerts (
    alert_id, user_id, transaction_id, alert_type, risk_score, status, reasons, event_ids,
    assigned_to, assigned_by, outcome, note, resolved_by, created_at, updated_at, resolved_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (alert_id) DO UPDATE SET
    risk_score = excluded.risk_score, status = excluded.status, reasons = excluded.reasons,
    event_ids = excluded.event_ids, assigned_to = excluded.assigned_to,
    assigned_by = excluded.assigned_by, outcome = excluded.outcome, note = excluded.note,
    resolved_by = excluded.resolved_by, updated_at = excluded.updated_at,
    resolved_at = excluded.resolved_at
