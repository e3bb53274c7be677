from ledger.errors import LedgerRefusal
from ledger.event_store.errors import VersionConflict


def test_a_conflict_says_where_the_stream_is():
    conflict = VersionConflict("box:1", 2, 5)
    assert isinstance(conflict, LedgerRefusal)
    assert conflict.code == "version_conflict"
    assert (conflict.stream_id, conflict.expected, conflict.actual) == ("box:1", 2, 5)
    assert "version 5, not 2" in str(conflict)
