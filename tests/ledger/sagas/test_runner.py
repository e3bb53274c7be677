"""The runner: events become steps, once in effect, wherever the process dies."""

import asyncio
import itertools
from uuid import uuid4

import pytest

from ledger.errors import LedgerBusy
from ledger.sagas.runner import DIED, SagaRunner
from ledger.sagas.steps import GiveUp, Saga, TaskState
from tests.ledger.sagas.conftest import SETTINGS, Kitchen
from tests.support.crashes import Killed, MortalDatabase, die_everywhere
from tests.support.kettles import Boiled, Filled


async def test_one_event_leads_to_the_next(kitchen):
    await kitchen.fill("kettle:1")
    await kitchen.fill("kettle:2")
    await kitchen.settle()
    for stream in ("kettle:1", "kettle:2"):
        assert [each.data for each in await kitchen.events.read_stream(stream)] == [
            Filled(500),
            Boiled(),
        ]
    assert len(kitchen.poured) == 2
    assert {task.state for task in await kitchen.tasks.tasks(limit=10)} == {TaskState.DONE}
    assert kitchen.runner.figures.steps_done == 4


async def test_dying_at_any_point_loses_nothing_and_doubles_nothing(database, clock):
    numbers = itertools.count()
    kettle = poured = None

    async def live(dies_at):
        nonlocal kettle, poured
        kettle, poured = f"kettle:{next(numbers)}", []
        mortal = MortalDatabase(database, dies_at)
        first = Kitchen(database, clock, poured)
        await first.runner.open()
        await first.fill(kettle)
        dying = Kitchen(mortal, clock, poured)
        if dies_at is not None:
            with pytest.raises(Killed):
                await dying.settle()
        else:
            await dying.settle()
        clock.advance(SETTINGS.lease_s)
        await Kitchen(database, clock, poured).settle()
        return mortal.points

    async def judge():
        events = [
            each.data for each in await Kitchen(database, clock, []).events.read_stream(kettle)
        ]
        assert events == [Filled(500), Boiled()]
        assert len(poured) == 1

    assert await die_everywhere(live, judge) > 15


async def test_a_step_that_fails_is_tried_again_later_and_later(kitchen, clock):
    await kitchen.fill("kettle:1")
    kitchen.fail_with = [ValueError("cold"), LedgerBusy()]
    await kitchen.settle()
    [task] = await kitchen.tasks.tasks(limit=10)
    assert (task.attempts, task.last_error) == (1, "ValueError: cold")
    clock.advance(0.9)
    await kitchen.settle()
    assert len(kitchen.fail_with) == 1
    clock.advance(0.1)
    await kitchen.settle()
    clock.advance(2)
    await kitchen.settle()
    assert len(kitchen.poured) == 1
    assert kitchen.runner.figures.steps_failed == 2


async def test_a_step_that_failed_while_the_clock_was_ahead_is_tried_again(kitchen, clock):
    right = clock.now
    clock.advance(365 * 86_400)
    await kitchen.fill("kettle:1")
    kitchen.fail_with = [ValueError("cold")]
    await kitchen.settle()
    clock.now = right
    await kitchen.settle()
    assert len(kitchen.poured) == 1


async def test_a_step_is_given_up_and_revived_by_hand(kitchen, clock):
    await kitchen.fill("kettle:1")
    kitchen.fail_with = [ValueError("cold")] * 3
    for _ in range(5):
        await kitchen.settle()
        clock.advance(60)
    [dead] = await kitchen.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert (dead.attempts, dead.last_error) == (3, "ValueError: cold")
    await kitchen.tasks.revive(dead.task_id, clock())
    await kitchen.settle()
    assert len(kitchen.poured) == 1


async def test_giving_up_needs_no_further_attempts(kitchen):
    await kitchen.fill("kettle:1")
    kitchen.fail_with = [GiveUp("a hole in it")]
    await kitchen.settle()
    [dead] = await kitchen.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert (dead.attempts, dead.last_error) == (1, "GiveUp: a hole in it")


async def test_a_step_that_kills_its_process_is_given_up_too(kitchen, database, clock):
    await kitchen.fill("kettle:1")
    for _ in range(SETTINGS.most_attempts):
        doomed = Kitchen(database, clock, [], fail_with=[Killed()])
        with pytest.raises(Killed):
            await doomed.settle()
        clock.advance(SETTINGS.lease_s)
    await kitchen.settle()
    [dead] = await kitchen.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert DIED in dead.last_error
    assert await kitchen.tasks.count_dead() == 1


async def test_a_step_that_hangs_is_cut_off(database, clock, kitchen):
    async def hang(task, event):
        await asyncio.Event().wait()

    runner = SagaRunner(
        [Saga("tea", {Filled.TYPE: "boil"}, {"boil": hang})],
        database=database,
        events=kitchen.events,
        tasks=kitchen.tasks,
        settings=SETTINGS.model_copy(update={"step_timeout_s": 0.01}),
        clock=clock,
    )
    await kitchen.fill("kettle:1")
    while await runner.turn():
        pass
    [task] = await kitchen.tasks.tasks(limit=10)
    assert task.last_error.startswith("TimeoutError")


async def test_a_replay_does_nothing_twice(kitchen):
    await kitchen.fill("kettle:1")
    await kitchen.settle()
    await kitchen.runner.replay(0)
    await kitchen.settle()
    assert len(kitchen.poured) == 1
    assert len(await kitchen.tasks.tasks(limit=10)) == 2
    [cursor] = await kitchen.events.cursors()
    assert cursor.behind == 0


async def test_an_event_of_a_newer_program_waits_and_steps_go_on(kitchen, database, clock):
    await kitchen.fill("kettle:1")
    await kitchen.runner.turn()
    async with database.transaction() as transaction:
        await transaction.execute(
            "SELECT ledger.append_events('kettle:2', 0, now(), $1)",
            [{"event_id": str(uuid4()), "type": "kettle.rung", "type_version": 1, "data": {}}],
        )
    await kitchen.fill("kettle:3")
    clock.advance(60)
    await kitchen.settle()
    done = {task.stream_id: task.state for task in await kitchen.tasks.tasks(limit=10)}
    assert done == {"kettle:1": TaskState.DONE}
    [cursor] = await kitchen.events.cursors()
    assert cursor.behind > 0, "nothing is passed over"


async def test_many_processes_share_the_work(database, clock):
    poured = []
    kitchens = [Kitchen(database, clock, poured) for _ in range(4)]
    await kitchens[0].runner.open()
    for n in range(20):
        await kitchens[0].fill(f"kettle:{n}")
    while any(await asyncio.gather(*(kitchen.runner.turn() for kitchen in kitchens))):
        pass
    assert len(poured) == 20
    assert sum(kitchen.runner.figures.steps_done for kitchen in kitchens) == 40


async def test_it_runs_by_itself_and_wakes(kitchen):
    running = asyncio.create_task(kitchen.runner.run())
    await kitchen.fill("kettle:1")
    kitchen.runner.wake()
    async with asyncio.timeout(10):
        while not kitchen.poured:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


def test_two_sagas_do_not_answer_one_event(kitchen):
    async def step(task, event):
        raise AssertionError

    saga = Saga("other", {Filled.TYPE: "drink"}, {"drink": step})
    with pytest.raises(ValueError, match="answers"):
        SagaRunner(
            [saga, Saga("third", {Filled.TYPE: "spill"}, {"spill": step})],
            database=kitchen.database,
            events=kitchen.events,
            tasks=kitchen.tasks,
            settings=SETTINGS,
            clock=kitchen.clock,
        )
