from dataclasses import FrozenInstanceError
from uuid import UUID

import pytest

from media.events import StreamEnded, StreamLive


def test_events_are_values() -> None:
    assert StreamLive(UUID(int=5)) == StreamLive(UUID(int=5))
    assert StreamEnded(UUID(int=5), "over") != StreamEnded(UUID(int=5), "stopped")
    with pytest.raises(FrozenInstanceError):
        StreamLive(UUID(int=5)).stream_id = UUID(int=6)  # type: ignore[misc]
