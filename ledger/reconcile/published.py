"""The event stream against the log: what is in one and not, or otherwise, in the other."""

from collections.abc import Iterator, Mapping

from ledger.reconcile.runs import Found


def compare(
    published: Mapping[int, bytes], logged: Mapping[int, bytes], published_until: int
) -> Iterator[Found]:
    """Differences between the stream's batches and the log's of the same range, by sequence.

    `logged` has every batch from the first of the stream on; those behind `published_until`, the
    publisher's cursor, may still be on their way.
    """
    for sequence in sorted({*published, *logged}):
        subject = f"batch {sequence}"
        if sequence not in logged:
            yield Found("stream", subject, "in the stream, and not in the log")
        elif sequence not in published:
            if sequence <= published_until:
                yield Found("stream", subject, "in the log, and missing in the stream")
        elif published[sequence] != logged[sequence]:
            yield Found("stream", subject, "in the stream with other events than in the log")
