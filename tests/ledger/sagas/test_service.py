"""What admins see of sagas, and do."""

from uuid import uuid4

import pytest

from ledger.sagas.errors import TaskNotDead, UnknownTask
from ledger.sagas.service import SagaService
from ledger.sagas.steps import GiveUp, TaskState


@pytest.fixture
def service(kitchen, clock):
    return SagaService(kitchen.tasks, kitchen.events, wake=kitchen.runner.wake, clock=clock)


async def test_what_gave_up_is_listed_and_tried_again(kitchen, service):
    await kitchen.fill("kettle:1")
    kitchen.fail_with = [GiveUp("a hole in it")]
    await kitchen.settle()
    [dead] = (await service.tasks(state=TaskState.DEAD, limit=10)).tasks
    assert dead.last_error == "GiveUp: a hole in it"
    assert (await service.retry(dead.task_id)).state is TaskState.DUE
    with pytest.raises(TaskNotDead):
        await service.retry(dead.task_id)
    await kitchen.settle()
    assert len(kitchen.poured) == 1
    with pytest.raises(TaskNotDead):
        await service.retry(dead.task_id)
    for ask in (service.task, service.retry):
        with pytest.raises(UnknownTask):
            await ask(uuid4())


async def test_pages(kitchen, service):
    for n in range(3):
        await kitchen.fill(f"kettle:{n}")
    await kitchen.settle()
    seen, cursor = [], None
    while True:
        page = await service.tasks(cursor=cursor, limit=4)
        seen += page.tasks
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({task.task_id for task in seen}) == 6
    mine = await service.tasks(stream_id="kettle:1", limit=10)
    assert {task.stream_id for task in mine.tasks} == {"kettle:1"}
    with pytest.raises(UnknownTask):
        await service.tasks(cursor=uuid4(), limit=1)
    [cursor] = await service.consumers()
    assert (cursor.consumer, cursor.behind) == ("sagas", 0)
