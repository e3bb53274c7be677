-- The double-entry ledger.
--
-- Signs: a credit is positive, a debit negative. Wallets and earnings are what the house owes, so
-- their balances are credits; issuance is where coins come from, so its balance is a debit.
--
-- What the database itself refuses, whoever asks:
--   a wallet, earnings or fees account below zero      CHECK never_below_zero
--   a transaction that does not sum to zero a currency  trigger sound_entries
--   an entry without its account or transaction         trigger sound_entries
--   a changed or removed entry, transaction or event    triggers append_only
--   a second transaction for one request of one caller  UNIQUE one_answer_a_request
CREATE SCHEMA ledger;

-- RFC 9562 §5.7 on top of a random version 4: 48 bits of milliseconds, then the version's bits.
CREATE FUNCTION ledger.uuid_v7(p_at timestamptz) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    RETURN encode(set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM p_at) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6),
        52, 1), 53, 1), 'hex')::uuid;
END $$;

-- The chart of accounts, as ledger/accounts.py has it.
CREATE TABLE ledger.chart (
    code     text PRIMARY KEY,
    per_user boolean NOT NULL
);
INSERT INTO ledger.chart VALUES
    ('issuance', false), ('wallet', true), ('earnings', true), ('fees', false);

CREATE TABLE ledger.accounts (
    account_id    uuid PRIMARY KEY DEFAULT ledger.uuid_v7(clock_timestamp()),
    code          text NOT NULL REFERENCES ledger.chart,
    owner_id      uuid,  -- of the chart's per_user accounts; the others are the house's
    -- Sub-accounts of a house account: writers spread over them instead of queueing at one row.
    shard         smallint NOT NULL DEFAULT 0,
    currency      text NOT NULL,
    balance_minor bigint NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT never_below_zero CHECK (balance_minor >= 0 OR code = 'issuance'),
    CONSTRAINT one_account_each UNIQUE NULLS NOT DISTINCT (owner_id, code, currency, shard)
) WITH (fillfactor = 50);  -- balances change in place (HOT), so leave each page room for them

CREATE TABLE ledger.transactions (
    transaction_id uuid PRIMARY KEY,
    -- Whose request it was: the payer of a gift, the admin of a grant. Request ids are made by
    -- clients, so they are looked up within their caller alone: nobody reads another's answer.
    caller_id      uuid NOT NULL,
    request_id     uuid NOT NULL,
    request_hash   bytea NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('gift', 'grant')),
    description    text NOT NULL,
    memo           text,  -- for the house; never shown to the accounts' owners
    answer         jsonb NOT NULL,
    posted_at      timestamptz NOT NULL,
    CONSTRAINT one_answer_a_request UNIQUE (caller_id, request_id)
);

CREATE TABLE ledger.journal_entries (
    entry_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id uuid NOT NULL,
    account_id     uuid NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor <> 0),
    balance_minor  bigint NOT NULL,  -- of the account, after this entry
    posted_at      timestamptz NOT NULL
);
CREATE INDEX journal_entries_of_account ON ledger.journal_entries (account_id, entry_id);

CREATE TABLE ledger.event_log (
    sequence    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid NOT NULL,
    type        text NOT NULL,
    version     smallint NOT NULL,
    occurred_at timestamptz NOT NULL,
    data        jsonb NOT NULL
);

-- How far the log has been published; only ever moves forward.
CREATE TABLE ledger.event_cursors (
    consumer text PRIMARY KEY,
    sequence bigint NOT NULL
);
INSERT INTO ledger.event_cursors (consumer, sequence) VALUES ('stream', 0);


-- ---- backstops ----

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'Post a correcting transaction instead.';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event_log
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
-- Of an account only the balance ever changes.
CREATE TRIGGER append_only
    BEFORE UPDATE OF account_id, code, owner_id, shard, currency, created_at OR DELETE OR TRUNCATE
    ON ledger.accounts FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Zero sum by induction: every INSERT statement must add zero to each transaction and currency, and
-- nothing is ever changed or removed, so every transaction sums to zero. This looks once at the rows
-- of a statement; a deferred constraint trigger would run once an entry, and again at commit. The
-- price: all entries of a transaction go in by one INSERT, as ledger.move() does it.
-- The same look stands for the foreign keys: what they would refuse on UPDATE and DELETE is refused
-- above, and six key checks a gift would cost a sixth of it.
CREATE FUNCTION ledger.refuse_unsound_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added
        LEFT JOIN ledger.accounts a USING (account_id)
        LEFT JOIN ledger.transactions t USING (transaction_id)
        GROUP BY transaction_id, a.currency
        HAVING sum(amount_minor) <> 0 OR a.currency IS NULL OR count(t.kind) < count(*)
    ) THEN
        RAISE EXCEPTION 'entries must belong to an account and a transaction, and sum to zero'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER sound_entries AFTER INSERT ON ledger.journal_entries
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unsound_entries();


-- ---- posting ----
--
-- Order of locks, which keeps two postings from waiting for each other: first the one wallet, then
-- the row of the request, then the other accounts by id. READ COMMITTED is what makes a statement
-- after a lock see what the lock was waited for.
--
-- The functions that callers use forbid sequential scans: PL/pgSQL keeps its first plans, and those
-- of a ledger that was empty then would read whole tables ever after.

-- A user's account, opened when it is missing.
CREATE FUNCTION ledger.user_account(p_code text, p_owner_id uuid, p_currency text)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    LOOP
        SELECT account_id INTO v_id FROM ledger.accounts
            WHERE owner_id = p_owner_id AND code = p_code AND currency = p_currency AND shard = 0;
        EXIT WHEN FOUND;
        INSERT INTO ledger.accounts (code, owner_id, currency)
            VALUES (p_code, p_owner_id, p_currency) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN v_id;
END $$;

-- A sub-account of the house, opened when it is missing. Each connection keeps to one of sixteen,
-- so that payers on different connections do not wait for each other's commit at the house's row.
CREATE FUNCTION ledger.house_account(p_code text, p_currency text)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_shard constant smallint := pg_backend_pid() % 16;
    v_id uuid;
BEGIN
    LOOP
        SELECT account_id INTO v_id FROM ledger.accounts
            WHERE owner_id IS NULL AND code = p_code AND currency = p_currency AND shard = v_shard;
        EXIT WHEN FOUND;
        INSERT INTO ledger.accounts (code, currency, shard)
            VALUES (p_code, p_currency, v_shard) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN v_id;
END $$;

-- Moves the amounts to the accounts beside them, in order of account id, and writes the entries.
-- A leg of zero moves nothing.
CREATE FUNCTION ledger.move(
    p_transaction_id uuid, p_at timestamptz, p_accounts uuid[], p_amounts bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_leg record;
    v_accounts uuid[];
    v_amounts bigint[];
    v_balances bigint[];
    v_balance bigint;
BEGIN
    FOR v_leg IN
        SELECT account_id, amount_minor
        FROM unnest(p_accounts, p_amounts) AS leg (account_id, amount_minor)
        WHERE amount_minor <> 0 ORDER BY account_id
    LOOP
        UPDATE ledger.accounts SET balance_minor = balance_minor + v_leg.amount_minor
            WHERE account_id = v_leg.account_id RETURNING balance_minor INTO STRICT v_balance;
        v_accounts := v_accounts || v_leg.account_id;
        v_amounts := v_amounts || v_leg.amount_minor;
        v_balances := v_balances || v_balance;
    END LOOP;
    INSERT INTO ledger.journal_entries
        (transaction_id, account_id, amount_minor, balance_minor, posted_at)
    SELECT p_transaction_id, account_id, amount_minor, balance_minor, p_at
    FROM unnest(v_accounts, v_amounts, v_balances) AS leg (account_id, amount_minor, balance_minor);
END $$;

-- Call it after the transaction's first write: whoever publishes the log (ledger/gaps.py) counts on
-- a transaction id that is older than the sequence number.
CREATE FUNCTION ledger.log_event(p_type text, p_at timestamptz, p_data jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.event_log (event_id, type, version, occurred_at, data)
    VALUES (ledger.uuid_v7(p_at), p_type, 1, p_at, p_data);
END $$;

-- What was answered to this request before: repeated, idempotency_mismatch, or no row.
CREATE FUNCTION ledger.first_answer(p_caller_id uuid, p_request_id uuid, p_request_hash bytea)
RETURNS TABLE (result text, answer jsonb) LANGUAGE sql STABLE AS $$
    SELECT CASE request_hash WHEN p_request_hash THEN 'repeated' ELSE 'idempotency_mismatch' END,
           CASE request_hash WHEN p_request_hash THEN t.answer END
    FROM ledger.transactions t WHERE caller_id = p_caller_id AND request_id = p_request_id
$$;

-- Posts a gift. `result` is a member of ledger.transfer.TransferResult, and `answer` the receipt,
-- or the balance that was too small.
CREATE FUNCTION ledger.post_gift(
    p_payer_id uuid, p_request_id uuid, p_request_hash bytea, p_payer_name text, p_payee_id uuid,
    p_stream_id uuid, p_gift_id text, p_count integer, p_total_minor bigint, p_fee_minor bigint,
    p_currency text, p_description text, OUT result text, OUT answer jsonb
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_transaction_id uuid;
    v_wallet uuid;
    v_earnings uuid;
    v_balance bigint;
    v_at timestamptz;
BEGIN
    ASSERT p_total_minor > 0 AND p_fee_minor BETWEEN 0 AND p_total_minor, 'amounts';
    ASSERT p_payer_id <> p_payee_id, 'own stream';

    -- Equal requests meet at the payer's wallet: the second waits here, then finds the answer.
    SELECT account_id, balance_minor INTO v_wallet, v_balance FROM ledger.accounts
        WHERE owner_id = p_payer_id AND code = 'wallet' AND currency = p_currency AND shard = 0
        FOR NO KEY UPDATE;
    SELECT f.result, f.answer INTO result, answer
        FROM ledger.first_answer(p_payer_id, p_request_id, p_request_hash) f;
    IF FOUND THEN
        RETURN;
    END IF;
    IF coalesce(v_balance, 0) < p_total_minor THEN
        result := 'insufficient_funds';
        answer := jsonb_build_object('balance_minor', coalesce(v_balance, 0));
        RETURN;
    END IF;

    v_at := date_trunc('milliseconds', clock_timestamp());
    v_transaction_id := ledger.uuid_v7(v_at);
    v_earnings := ledger.user_account('earnings', p_payee_id, p_currency);
    answer := jsonb_build_object(
        'request_id', p_request_id, 'transaction_id', v_transaction_id, 'gift_id', p_gift_id,
        'count', p_count, 'total_minor', p_total_minor, 'currency', p_currency,
        'balance_minor', v_balance - p_total_minor, 'posted_at', v_at);
    INSERT INTO ledger.transactions (
        transaction_id, caller_id, request_id, request_hash, kind, description, answer, posted_at)
    VALUES (
        v_transaction_id, p_payer_id, p_request_id, p_request_hash, 'gift', p_description, answer,
        v_at);
    PERFORM ledger.move(
        v_transaction_id, v_at,
        ARRAY[v_wallet, v_earnings, ledger.house_account('fees', p_currency)],
        ARRAY[-p_total_minor, p_total_minor - p_fee_minor, p_fee_minor]);
    PERFORM ledger.log_event('gift.sent', v_at, jsonb_build_object(
        'transaction_id', v_transaction_id, 'request_id', p_request_id, 'stream_id', p_stream_id,
        'payer_id', p_payer_id, 'payer_name', p_payer_name, 'payee_id', p_payee_id,
        'gift_id', p_gift_id, 'count', p_count, 'total_minor', p_total_minor,
        'fee_minor', p_fee_minor, 'currency', p_currency,
        'payer_balance_minor', v_balance - p_total_minor,
        'payee_balance_minor', (
            SELECT balance_minor FROM ledger.accounts WHERE account_id = v_earnings)));
    result := 'posted';
END $$;

-- Posts a grant of coins from issuance to a wallet; `result` and `answer` as of post_gift.
CREATE FUNCTION ledger.post_grant(
    p_granted_by uuid, p_request_id uuid, p_request_hash bytea, p_user_id uuid,
    p_amount_minor bigint, p_currency text, p_description text, p_reason text,
    OUT result text, OUT answer jsonb
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_transaction_id uuid;
    v_wallet uuid := ledger.user_account('wallet', p_user_id, p_currency);
    v_balance bigint;
    v_at timestamptz;
BEGIN
    ASSERT p_amount_minor > 0, 'amount';

    SELECT balance_minor + p_amount_minor INTO v_balance FROM ledger.accounts
        WHERE account_id = v_wallet FOR NO KEY UPDATE;
    v_at := date_trunc('milliseconds', clock_timestamp());
    v_transaction_id := ledger.uuid_v7(v_at);
    answer := jsonb_build_object(
        'transaction_id', v_transaction_id, 'balance_minor', v_balance, 'currency', p_currency);
    -- One admin's equal request ids need not meet at one wallet, as another body may name another
    -- user: here the unique constraint is what they meet at.
    INSERT INTO ledger.transactions (
        transaction_id, caller_id, request_id, request_hash, kind, description, memo, answer,
        posted_at)
    VALUES (
        v_transaction_id, p_granted_by, p_request_id, p_request_hash, 'grant', p_description,
        p_reason, answer, v_at)
    ON CONFLICT ON CONSTRAINT one_answer_a_request DO NOTHING;
    IF NOT FOUND THEN
        SELECT f.result, f.answer INTO result, answer
            FROM ledger.first_answer(p_granted_by, p_request_id, p_request_hash) f;
        RETURN;
    END IF;
    PERFORM ledger.move(
        v_transaction_id, v_at,
        ARRAY[v_wallet, ledger.house_account('issuance', p_currency)],
        ARRAY[p_amount_minor, -p_amount_minor]);
    PERFORM ledger.log_event('coins.granted', v_at, jsonb_build_object(
        'transaction_id', v_transaction_id, 'request_id', p_request_id, 'user_id', p_user_id,
        'granted_by', p_granted_by, 'amount_minor', p_amount_minor, 'currency', p_currency,
        'balance_minor', v_balance, 'reason', p_reason));
    result := 'posted';
END $$;
