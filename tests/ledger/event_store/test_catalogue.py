"""Typed events: written, read again, and read in old versions."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from ledger.event_store.catalogue import (
    Catalogue,
    RawEvent,
    UnreadableEvent,
    event_id,
    to_fields,
)


@dataclass(frozen=True, slots=True)
class Moved:
    TYPE: ClassVar[str] = "box.moved"
    VERSION: ClassVar[int] = 3
    box_id: UUID
    metres: int
    by: str | None
    moved_at: datetime
    fragile: bool = False


def in_metres(values):
    return {**values, "metres": values["feet"] * 3 // 10}


def by_nobody(values):
    return {**values, "by": None}


CATALOGUE = Catalogue([Moved], {("box.moved", 1): in_metres, ("box.moved", 2): by_nobody})
EVENT = Moved(uuid4(), 12, "Ann", datetime(2026, 1, 1, tzinfo=UTC), fragile=True)
RAW = RawEvent(
    7, uuid4(), "box:1", 2, "box.moved", 3, to_fields(EVENT), datetime(2026, 1, 2, tzinfo=UTC)
)


def without(*names):
    return {name: value for name, value in RAW.event_data.items() if name not in names}


def test_what_was_written_is_read():
    read = CATALOGUE.read(RAW)
    assert read.data == EVENT
    assert (read.position, read.event_id, read.stream_id, read.version, read.created_at) == (
        RAW.position,
        RAW.event_id,
        RAW.stream_id,
        RAW.version,
        RAW.created_at,
    )
    nobody = replace(RAW, event_data=to_fields(replace(EVENT, by=None)))
    assert CATALOGUE.read(nobody).data.by is None


def test_old_versions_are_read_in_todays_shape():
    second = replace(RAW, type_version=2, event_data=without("by"))
    assert CATALOGUE.read(second).data == replace(EVENT, by=None)
    first = replace(RAW, type_version=1, event_data={**without("by", "metres"), "feet": 40})
    assert CATALOGUE.read(first).data == replace(EVENT, by=None)
    assert "metres" not in first.event_data, "what is stored stays as it was"


def test_fields_of_a_later_program_are_passed_over():
    assert CATALOGUE.read(replace(RAW, event_data={**RAW.event_data, "colour": 1})).data == EVENT


@pytest.mark.parametrize(
    "change",
    [
        {"event_type": "box.lost"},
        {"type_version": 4},
        {"type_version": 0},
        {"event_data": without("metres")},
        {"event_data": {**RAW.event_data, "metres": "12"}},
        {"event_data": {**RAW.event_data, "metres": True}},
        {"event_data": {**RAW.event_data, "metres": None}},
        {"event_data": {**RAW.event_data, "box_id": "x"}},
        {"event_data": {**RAW.event_data, "by": 3}},
        {"event_data": {**RAW.event_data, "moved_at": "yesterday"}},
        {"type_version": 1},
    ],
)
def test_what_is_not_known_is_not_read(change):
    with pytest.raises(UnreadableEvent, match=r"box:1 version 2"):
        CATALOGUE.read(replace(RAW, **change))


def test_every_old_version_has_an_upcast_and_no_other_has():
    for upcasts in ({}, {("box.moved", 1): in_metres}, {("box.moved", 3): in_metres}):
        with pytest.raises(ValueError, match="upcasts differ"):
            Catalogue([Moved], upcasts)
    with pytest.raises(ValueError, match="twice"):
        Catalogue([Moved, Moved])
    assert CATALOGUE.types == ("box.moved",)


def test_an_id_is_of_the_place_and_the_cause():
    first = event_id("box:1", 2, "move")
    assert first == event_id("box:1", 2, "move")
    assert first.version == 5
    others = {event_id("box:2", 2, "move"), event_id("box:1", 3, "move"), event_id("box:1", 2, "x")}
    assert len({first, *others}) == 4
