-- name: begin_turn
SELECT cursor, head, oldest_running, next_transaction, now,
       sequences, event_counts, posted_ats, events
FROM ledger.begin_turn($1, $2, $3)

-- name: move_cursor
SELECT ledger.move_cursor($1)

-- name: is_wanted
SELECT ledger.shift_is_wanted($1)

-- name: end_shift
SELECT ledger.end_shift()
