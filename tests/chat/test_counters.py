"""The figures follow what happens."""

from chat.counters import ChatCounters
from tests.chat.conftest import ConnectTo, StartNode, World


async def test_figures_grow_with_what_happens(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    assert node.counters == ChatCounters()
    ann = await connect_to(node, world.user("ann"), join=stream_id)
    await connect_to(node, join=stream_id)
    before = node.counters.deliveries
    await ann.ask("say", stream_id=stream_id, text="hi")
    await ann.until("message")
    await ann.ask("dance")
    counters = node.counters
    assert (counters.messages, counters.frames_in) == (1, 6)
    assert counters.deliveries - before >= 2
    assert counters.refused == {"unknown_type": 1}
    assert (counters.gifts_shown, counters.bad_payloads, counters.closed) == (0, 0, {})
