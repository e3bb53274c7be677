"""Patience with Redis."""

import asyncio

import pytest
from redis import exceptions

from server.bus import stream
from server.bus.stream import batches, outlast


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        exceptions.ConnectionError(),
        exceptions.TimeoutError(),
        exceptions.BusyLoadingError(),
        exceptions.ReadOnlyError(),
    ],
)
async def test_what_passes_is_tried_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FIRST_PAUSE_S", 0.0001)
    answers = iter([error, error, "done"])

    async def command() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await outlast(command) == "done"


async def test_what_does_not_pass_is_raised() -> None:
    async def command() -> None:
        raise exceptions.ResponseError("WRONGTYPE")

    with pytest.raises(exceptions.ResponseError):
        await outlast(command)


@pytest.mark.parametrize(
    "outcome", [exceptions.ConnectionError("Connection closed by server."), "an answer"]
)
async def test_a_cancelled_task_ends_even_if_the_command_does_not(outcome: object) -> None:
    waiting = asyncio.Event()

    async def command() -> object:
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if isinstance(outcome, Exception):
                raise outcome from None
        return outcome

    task = asyncio.create_task(outlast(command))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_an_entry_without_the_field_is_an_empty_batch() -> None:
    assert batches([(b"1-0", {b"events": b"[]"}), (b"2-0", {b"x": b"y"})]) == [
        ("1-0", b"[]"),
        ("2-0", b""),
    ]
