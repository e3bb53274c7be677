"""The typed events of the store: how they are written down, and how old ones are read.

An event type is a frozen dataclass with a name and a version of its shape. What was stored stays as
it is; when a shape changes, its version goes up, and an upcast turns the fields of each version
into those of the next. So there is one shape in the code, the newest, whatever was stored.

UnreadableEvent
    A stored event has a type, a version or a field that this program does not know.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType, NoneType, UnionType
from typing import Any, ClassVar, Protocol, get_args
from uuid import UUID, uuid5

import orjson

EVENTS = UUID("5f0d3c1a-6c0e-5d7b-9a52-2c8a4a4c6e10")
"""Name space of the ids of events (RFC 9562 §5.5); never change it."""

Fields = dict[str, Any]
Upcast = Callable[[Fields], Fields]


class UnreadableEvent(ValueError):
    """A stored event that this program does not know."""


class EventData(Protocol):
    """What every event type has; its other fields are int, str, bool, UUID or datetime, or None."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int]
    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append. The same id at the same place is the same event, appended once."""

    event_id: UUID
    data: EventData


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as it is stored."""

    position: int
    event_id: UUID
    stream_id: str
    version: int
    event_type: str
    type_version: int
    event_data: Fields
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that was read: `version` counts in its stream, `position` over all streams."""

    position: int
    event_id: UUID
    stream_id: str
    version: int
    data: Any
    created_at: datetime


def event_id(stream_id: str, version: int, cause: str) -> UUID:
    """The id of the event that `cause` appends to a stream as `version`: always the same one."""
    return uuid5(EVENTS, f"{stream_id}\n{version}\n{cause}")


def to_fields(data: EventData) -> Fields:
    """The event's fields as JSON values."""
    values: Fields = orjson.loads(orjson.dumps(data, default=str))
    return values


class Catalogue:
    """All event types of a program, and how their old versions are read."""

    def __init__(
        self,
        types: Iterable[type[EventData]],
        upcasts: Mapping[tuple[str, int], Upcast] = MappingProxyType({}),
    ) -> None:
        """`upcasts` by type and the version that they start from.

        Raises ValueError where a type stands twice or an old version of one has no upcast.
        """
        listed = list(types)
        self._types = {each.TYPE: each for each in listed}
        self._upcasts = dict(upcasts)
        if len(self._types) < len(listed):
            raise ValueError("an event type stands twice")
        wanted = {(each.TYPE, old) for each in listed for old in range(1, each.VERSION)}
        if wanted != set(self._upcasts):
            raise ValueError(f"upcasts differ from old versions: {wanted ^ set(self._upcasts)}")

    @property
    def types(self) -> tuple[str, ...]:
        """The names of all types."""
        return tuple(self._types)

    def read(self, raw: RawEvent) -> StoredEvent:
        """The event in its newest shape; fields that are not known are passed over.

        Raises UnreadableEvent.
        """
        kind = self._types.get(raw.event_type)
        if kind is None or not 1 <= raw.type_version <= kind.VERSION:
            raise UnreadableEvent(
                f"{raw.stream_id} version {raw.version}: no event type {raw.event_type!r} of"
                f" version {raw.type_version} is known"
            )
        try:
            values = dict(raw.event_data)
            for old in range(raw.type_version, kind.VERSION):
                values = self._upcasts[kind.TYPE, old](values)
            data = kind(**{f.name: _value(values, f.name, f.type) for f in fields(kind)})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableEvent(f"{raw.stream_id} version {raw.version}: {error!r}") from error
        return StoredEvent(
            raw.position, raw.event_id, raw.stream_id, raw.version, data, raw.created_at
        )


def _value(values: Fields, name: str, kind: Any) -> Any:
    value = values[name]
    options = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if value is None and NoneType in options:
        return None
    [wanted] = [each for each in options if each is not NoneType]
    if wanted is UUID:
        return UUID(value)
    if wanted is datetime:
        return datetime.fromisoformat(value)
    if type(value) is not wanted:
        raise TypeError(f"{name} is no {wanted.__name__}")
    return value
