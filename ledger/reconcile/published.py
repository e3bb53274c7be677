"""The event stream against the log: what is in one and not, or otherwise, in the other.

Both are given as digests of their batches by sequence, so that a comparison takes little memory.
"""

from collections.abc import Iterator, Mapping

from ledger.reconcile.runs import Found

CHECK = "stream"
WHOLE = "whole stream"
_BATCH = "batch "


def compare(
    published: Mapping[int, bytes], logged: Mapping[int, bytes], published_until: int
) -> Iterator[Found]:
    """Differences between the stream's batches and the log's of the same range, by sequence.

    `logged` has the newest batches from the first of the stream on, and all that the stream has.
    Those behind `published_until`, where
    the publisher's cursor was before the stream was read, may still be on their way.
    """
    for sequence in sorted({*published, *logged}):
        subject = f"{_BATCH}{sequence}"
        if sequence not in logged:
            yield Found(CHECK, subject, "in the stream, and not in the log")
        elif sequence not in published:
            if sequence <= published_until:
                yield Found(CHECK, subject, "in the log, and missing in the stream")
        elif published[sequence] != logged[sequence]:
            yield Found(CHECK, subject, "in the stream with other events than in the log")


def emptied(published_until: int) -> Iterator[Found]:
    """The difference of a stream that has nothing, where the publisher's cursor says otherwise."""
    if published_until:
        yield Found(CHECK, WHOLE, f"the stream is empty, published up to {published_until}")


def out_of_sight(found: Found, first: int) -> bool:
    """Whether a difference is of a batch before `first`: the stream can't say that it is mended."""
    return found.subject != WHOLE and int(found.subject.removeprefix(_BATCH)) < first
