"""The ledger in PostgreSQL: the only place that knows the driver, a file a concept."""

from ledger.store.books import LedgerStore
from ledger.store.calls import Calls

__all__ = ["Calls", "LedgerStore"]
