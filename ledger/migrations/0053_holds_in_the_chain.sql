-- The event of a hold has everything of it that its row has, so that the chained log says what the
-- row must be like: what it is for and until when, exactly, and a digest of its metadata.

-- As ledger.rfc3339, to the microsecond.
CREATE FUNCTION ledger.rfc3339_exact(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- Hexadecimal digits, over PostgreSQL's text form; NULL of nothing.
CREATE FUNCTION ledger.sha256_of(p_document jsonb) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(p_document::text, 'UTF8')), 'hex')
$$;

-- As in 0006, with the three fields at the end.
CREATE OR REPLACE FUNCTION ledger.hold_event(p_hold ledger.holds)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('type', 'hold.changed', 'data', jsonb_build_object(
        'hold_id', p_hold.hold_id, 'owner_id', a.owner_id, 'code', a.code,
        'currency', a.currency, 'state', p_hold.state, 'amount_minor', p_hold.amount_minor,
        'captured_minor', p_hold.captured_minor, 'balance_minor', a.balance_minor,
        'held_minor', a.held_minor, 'reason', p_hold.reason,
        'expires_at', ledger.rfc3339_exact(p_hold.expires_at),
        'metadata_sha256', ledger.sha256_of(p_hold.metadata)))
    FROM ledger.accounts a WHERE a.account_id = p_hold.account_id
$$;
