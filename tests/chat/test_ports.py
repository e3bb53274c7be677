"""The server's implementations have exactly the methods that the chat asks for."""

import inspect

import pytest

from chat import ports
from chat.hub import Hub
from server.chat_redis import RedisBus, RedisHistory, RedisModerationStore, RedisPresence


@pytest.mark.parametrize(
    ("port", "implementation"),
    [
        (ports.Bus, RedisBus),
        (ports.History, RedisHistory),
        (ports.ModerationStore, RedisModerationStore),
        (ports.Presence, RedisPresence),
        (ports.BusListener, Hub),
    ],
)
def test_signatures_agree(port: type, implementation: type) -> None:
    methods = [name for name in vars(port) if not name.startswith("_")]
    assert methods
    for name in methods:
        wanted, found = getattr(port, name), getattr(implementation, name)
        assert inspect.iscoroutinefunction(wanted) == inspect.iscoroutinefunction(found)
        assert inspect.signature(wanted) == inspect.signature(found)


def test_the_chat_is_given_every_port() -> None:
    declared = {
        name
        for name, value in vars(ports).items()
        if inspect.isclass(value) and value.__module__ == ports.__name__
    }
    given = {field.split(".")[-1] for field in map(str, ports.ChatPorts.__annotations__.values())}
    names = {str(name).removeprefix("<class '").removesuffix("'>") for name in given}
    assert declared - names == {"BusListener", "Entry", "ChatPorts"}
