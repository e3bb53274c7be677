from ledger.errors import LedgerRefusal
from ledger.sagas.errors import TaskNotDead, UnknownTask
from ledger.sagas.steps import TaskState


def test_every_refusal_has_a_code():
    for refusal, code in (
        (UnknownTask(), "not_found"),
        (TaskNotDead(TaskState.DONE), "invalid_transition"),
    ):
        assert isinstance(refusal, LedgerRefusal)
        assert refusal.code == code
    assert "done" in str(TaskNotDead(TaskState.DONE))
