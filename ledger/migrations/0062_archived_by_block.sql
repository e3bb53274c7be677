-- Answers of old requests are found where they are: block by block, in rounds. By their age, each call
-- passed by everything that was archived before, as an archived row is written anew beside new ones: with
-- tens of millions of them no call ended in time, and answers were kept for good. Gifts need not note
-- their age any more.
CREATE TABLE ledger.archiving (
    is_only    boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    before     timestamptz NOT NULL DEFAULT '-infinity',  -- what the round takes is older
    next_block bigint  -- of ledger.requests, where the round goes on; NULL when it is over
);
INSERT INTO ledger.archiving DEFAULT VALUES;
CREATE TRIGGER one_row BEFORE INSERT OR DELETE OR TRUNCATE
    ON ledger.archiving FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Empties the answers of requests from before `p_before` in the next so many blocks. A round begins when
-- the one before is over, `p_every` later or where the clock was put back; is_over where there is none
-- to go on with, or somebody else does.
CREATE FUNCTION ledger.archive_answers(
    p_before timestamptz, p_every interval, p_blocks integer,
    OUT archived bigint, OUT is_over boolean
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_round ledger.archiving;
    v_from tid;
    v_to tid;
BEGIN
    archived := 0;
    is_over := true;
    SELECT * INTO v_round FROM ledger.archiving FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_round.next_block IS NULL THEN
        IF p_before >= v_round.before AND p_before < v_round.before + p_every THEN
            RETURN;
        END IF;
        v_round.before := p_before;
        v_round.next_block := 0;
    END IF;
    v_from := format('(%s,0)', v_round.next_block);
    v_round.next_block := v_round.next_block + p_blocks;
    v_to := format('(%s,0)', v_round.next_block);
    UPDATE ledger.requests SET answer = NULL
    WHERE ctid >= v_from AND ctid < v_to AND posted_at < v_round.before AND answer IS NOT NULL;
    GET DIAGNOSTICS archived = ROW_COUNT;
    is_over := v_round.next_block * current_setting('block_size')::bigint
        >= pg_relation_size('ledger.requests');
    UPDATE ledger.archiving
    SET before = v_round.before,
        next_block = CASE WHEN NOT is_over THEN v_round.next_block END;
END $$;

-- What servers of the version before ask for; others do it.
CREATE OR REPLACE FUNCTION ledger.archive_requests(p_before timestamptz, p_limit integer)
RETURNS bigint LANGUAGE sql AS $$ SELECT 0::bigint $$;

-- A summary of ranges of blocks, small, and gone at once.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX ledger.requests_by_age;
