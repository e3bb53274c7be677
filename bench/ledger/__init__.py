"""Gifts a second through the ledger's service, against PostgreSQL's own pgbench (TPC-B).

    python -m bench.ledger [--quick] [--entries MILLIONS]

Both use one server with `fsync` and `synchronous_commit` on. A gift is judged, posted and answered:
three rows inserted, its share of three balances updated and of a row of the log, and all checks of
the ledger; a TPC-B transaction updates three balances, reads one and inserts a row, and pgbench
runs at its scale of 32, at which its 32 clients hardly wait for each other's rows. Rounds of all
loads alternate, and medians are shown.
"""
