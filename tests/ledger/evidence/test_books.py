from ledger.evidence.books import Books
from ledger.store.evidence import EvidenceStore


def test_the_store_has_everything_that_a_verification_reads() -> None:
    books: type[Books] = EvidenceStore
    wanted = {name for name in vars(Books) if not name.startswith("_")}
    assert wanted <= set(vars(books))
