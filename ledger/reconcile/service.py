"""Reconciliation: runs of it, by schedule, by command or by an admin, and the work list.

A run is one transaction: what it matched and found is kept together with its result, or not at all.
It writes when everything is known, at its end.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol
from uuid import UUID

from uuid_utils.compat import uuid7

from config.reconcile import ReconcileSettings, SettlementFormat
from ledger.errors import LedgerRefusal
from ledger.reconcile import worklist
from ledger.reconcile.errors import (
    FileKnown,
    InvalidFile,
    ReconciliationKnown,
    UnknownProvider,
    UnknownReconciliation,
)
from ledger.reconcile.items import Item, Tolerance
from ledger.reconcile.matching import Leftover, Matching, match
from ledger.reconcile.published import CHECK as STREAM
from ledger.reconcile.published import WHOLE, compare, emptied, out_of_sight
from ledger.reconcile.runs import Found, Reconciliation, RunKind
from ledger.reconcile.settlement import MalformedSettlement, read_settlement
from ledger.reconcile.worklist import Difference, DifferenceState
from ledger.store.reconcile import CHECKS, MOST_FOUND, ReconcileStore, ReconcileWork

log = logging.getLogger(__name__)

STREAM_BATCHES = 2000
"""How many of the newest batches of the stream are compared with the log."""


A_DAY = timedelta(days=1)

LONGEST_LOOK_S = 60.0
"""How often, at least, the schedule looks whether a run is due."""


class Published(Protocol):
    """The stream of published batches."""

    async def newest(self, limit: int) -> Mapping[int, bytes]:
        """SHA-256 of the newest batches, by their sequence in the log."""


class _NotDue(Exception):
    """The scheduled run was made by another node."""


class Reconciler:
    """Runs, and their work list. Everything raises LedgerBusy while the database is away."""

    def __init__(
        self,
        store: ReconcileStore,
        settings: ReconcileSettings,
        *,
        published: Published,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._settings = settings
        self._published = published
        self._clock = clock

    async def run(self) -> None:
        """Compare by schedule until cancelled; a failure is logged, and tried again soon."""
        while True:
            try:
                await self.turn()
            except Exception:
                log.exception("reconciliation failed")
            await asyncio.sleep(min(self._settings.every_s, LONGEST_LOOK_S))

    async def turn(self) -> bool:
        """Compare and take the inbox, where that is due; whether it was.

        What is due is read from the database: a restart does not put it off, and several nodes do
        not do it as many times.
        """
        if not self._is_due(await self._store.newest_scheduled(self._horizon())):
            return False
        try:
            await self._compare(uuid7(), None, is_asked=False)
        except _NotDue:
            return False
        await self.take_inbox()
        return True

    async def internal(
        self, reconciliation_id: UUID | None = None, by: UUID | None = None
    ) -> Reconciliation:
        """Compare the ledger with itself, with purchases, and with the stream.

        An id that was used before gives that run. Raises ReconciliationKnown.
        """
        return await self._compare(reconciliation_id or uuid7(), by, is_asked=True)

    async def _compare(self, run_id: UUID, by: UUID | None, *, is_asked: bool) -> Reconciliation:
        """Raises _NotDue where nobody asked, and another node did it while this one waited."""
        started_at = self._clock()
        # The cursor first: what was published before it was there is in the stream.
        until = await self._store.published_until()
        published = await self._published.newest(STREAM_BATCHES)
        async with self._store.work() as work:
            if (known := await work.known(run_id)) is not None:
                return _same(known, RunKind.INTERNAL, None)
            if not is_asked and not self._is_due(await work.newest_scheduled(self._horizon())):
                raise _NotDue
            by_check = {name: await work.check(name) for name in CHECKS}
            counted = await work.counted()
            by_check[STREAM], kept = await _compare_stream(work, published, until)
            counted["batches"] = len(published)
            found = [each for some in by_check.values() for each in some]
            # Of a check that found as much as it may, nobody knows what it did not find.
            checks = [name for name, some in by_check.items() if len(some) < MOST_FOUND]
            run = Reconciliation(
                reconciliation_id=run_id,
                kind=RunKind.INTERNAL,
                source="ledger",
                file_hash=None,
                started_by=by,
                started_at=started_at,
                finished_at=self._clock(),
                checked=sum(counted.values()),
                matched=0,
                differences=len(found),
                details=counted,
            )
            return await self._keep(work, run, [*found, *kept], checks)

    async def settlement(
        self,
        provider: str,
        content: bytes | str,
        reconciliation_id: UUID | None = None,
        by: UUID | None = None,
    ) -> Reconciliation:
        """Match a provider's file with the ledger; text is a file that was decoded before.

        An id that was used before gives that run. Raises UnknownProvider, InvalidFile (and nothing
        of the file is used), FileKnown and ReconciliationKnown.
        """
        started_at = self._clock()
        form = self._form(provider)
        raw = content.encode() if isinstance(content, str) else content
        if len(raw) > form.max_bytes:
            raise InvalidFile(1, f"The file has more than {form.max_bytes} bytes; split it.")
        file_hash = await asyncio.to_thread(_hash_of, provider, raw)
        async with self._store.work() as work:
            run_id = reconciliation_id or uuid7()
            if (known := await work.known(run_id)) is not None:
                return _same(known, RunKind.SETTLEMENT, file_hash)
            if (same := await work.of_file(file_hash)) is not None:
                raise FileKnown(same.reconciliation_id)
            scales = self._settings.scales | await work.scales()
            try:
                file = await asyncio.to_thread(read_settlement, content, form, scales)
            except MalformedSettlement as error:
                raise InvalidFile(error.line, str(error)) from error
            fresh = await _fresh(work, provider, file.lines, started_at.date() + A_DAY)
            days = [line.on for line in fresh]
            if (known_day := await work.newest_day(provider)) is not None:
                days.append(known_day)
            last = max(days, default=started_at.date())
            reach = timedelta(self._settings.date_tolerance_days)
            ours = await work.ours(last + reach, form.reference_prefix)
            theirs = [*await work.theirs(provider), *fresh]
            matching = await asyncio.to_thread(match, ours, theirs, self._tolerance())
            check = f"settlement {provider}"
            count, listed = await asyncio.to_thread(
                _to_list,
                _found(check, matching, last - reach),
                open_ones=set(await work.open_differences(check)),
                resolved=set(await work.resolved_differences(check)),
            )
            await work.add_lines(provider, fresh, run_id)
            await work.add_matches(_rows(matching, provider, run_id))
            run = Reconciliation(
                reconciliation_id=run_id,
                kind=RunKind.SETTLEMENT,
                source=provider,
                file_hash=file_hash,
                started_by=by,
                started_at=started_at,
                finished_at=self._clock(),
                checked=len(file.lines),
                matched=len(matching.matches),
                differences=count,
                details={
                    "lines_new": len(fresh),
                    "lines_known": len(file.lines) - len(fresh),
                    "totals_minor": file.total_minor,
                    "difference_minor": sum(each.difference_minor for each in matching.matches),
                    "waiting": len(matching.ours) + len(matching.theirs) - count,
                },
            )
            return await self._keep(work, run, listed, [check])

    async def settlement_file(self, provider: str, path: Path) -> Reconciliation:
        """The same of a file on disk, of which no more is read than it may have. Raises OSError."""
        most = self._form(provider).max_bytes
        return await self.settlement(provider, await asyncio.to_thread(_read, path, most + 1))

    async def take_inbox(self) -> list[Reconciliation]:
        """Reconcile the files of the inbox that were not yet; one that can't be used is logged."""
        runs: list[Reconciliation] = []
        if self._settings.inbox is None:
            return runs
        files = await asyncio.to_thread(_files_in, Path(self._settings.inbox))
        for provider, path in files:
            try:
                runs.append(await self.settlement_file(provider, path))
            except FileKnown:
                continue
            except (LedgerRefusal, OSError) as error:
                log.warning(
                    "a settlement file can't be used",
                    extra={"path": str(path), "error": str(error) or repr(error)},
                )
        return runs

    async def reconciliation(self, reconciliation_id: UUID) -> Reconciliation:
        """A run. Raises UnknownReconciliation."""
        found = await self._store.reconciliation(reconciliation_id)
        if found is None:
            raise UnknownReconciliation
        return found

    async def reconciliations(self, before: UUID | None, limit: int) -> list[Reconciliation]:
        """Runs before that one, newest first."""
        return await self._store.reconciliations(before, limit)

    async def differences(
        self, state: DifferenceState | None, before: UUID | None, limit: int
    ) -> list[Difference]:
        """The work list before that line, newest first; all states where none is named."""
        return await self._store.differences(state, before, limit)

    async def assign(self, difference_id: UUID, to: UUID | None) -> Difference:
        """Give a difference to somebody. Raises UnknownDifference or WorkConflict."""
        change = partial(worklist.assign, to=to, now=self._clock())
        return await self._store.change(difference_id, change)

    async def resolve(self, difference_id: UUID, note: str) -> Difference:
        """Close a difference. Raises UnknownDifference, WorkConflict or InvalidNote."""
        change = partial(worklist.resolve, note=note, now=self._clock())
        return await self._store.change(difference_id, change)

    def _horizon(self) -> datetime:
        """A run that seems to come later than the next one was made while a clock was ahead."""
        return self._clock() + timedelta(seconds=self._settings.every_s)

    def _is_due(self, newest: datetime | None) -> bool:
        every = timedelta(seconds=self._settings.every_s)
        return newest is None or self._clock() - newest >= every

    def _form(self, provider: str) -> SettlementFormat:
        form = self._settings.providers.get(provider)
        if form is None:
            raise UnknownProvider(provider)
        return form

    def _tolerance(self) -> Tolerance:
        settings = self._settings
        return Tolerance(
            amount_minor=settings.amount_tolerance_minor,
            days=settings.date_tolerance_days,
            group=settings.most_parts,
        )

    async def _keep(
        self,
        work: ReconcileWork,
        run: Reconciliation,
        found: Sequence[Found],
        checks: Sequence[str],
    ) -> Reconciliation:
        run = replace(run, finished_at=self._clock())
        await work.add(run)
        listed = [(uuid7(), each) for each in found]
        await work.list_differences(run.reconciliation_id, listed, checks, run.finished_at)
        return run


def _same(known: Reconciliation, kind: RunKind, file_hash: bytes | None) -> Reconciliation:
    if (known.kind, known.file_hash) != (kind, file_hash):
        raise ReconciliationKnown
    return known


async def _compare_stream(
    work: ReconcileWork, published: Mapping[int, bytes], until: int
) -> tuple[list[Found], list[Found]]:
    """What was found, and what was found before of batches that the stream has no more."""
    known = await work.open_differences(STREAM)
    if not published:
        return list(emptied(until)), [each for each in known if each.subject != WHOLE]
    first = min(published)
    logged = await work.logged(first, max(until, *published), named=published)
    found = list(islice(compare(published, logged, until), MOST_FOUND))
    return found, [each for each in known if out_of_sight(each, first)]


async def _fresh(
    work: ReconcileWork, provider: str, lines: Sequence[Item], until: date
) -> list[Item]:
    """Lines that no earlier file had. Raises as `_new_lines` does."""
    known = await work.known_lines(provider, [line.key for line in lines])
    return await asyncio.to_thread(_new_lines, lines, known, until)


def _new_lines(lines: Sequence[Item], known: Mapping[str, Item], until: date) -> list[Item]:
    """Lines that are not known; one that says something else now is refused, and so is one
    of a day to come, behind which everything that is missing would count as late."""
    for number, line in enumerate(lines, 2):
        if line.on > until:
            raise InvalidFile(number, f"{line.key!r} is of {line.on}, which is still to come")
        if line.key in known and known[line.key] != line:
            raise InvalidFile(number, f"{line.key!r} was something else in an earlier file")
    return [line for line in lines if line.key not in known]


def _found(check: str, matching: Matching, until: date) -> Iterator[Found]:
    """What is left over. Of ours what is behind `until` is too new: it may be in the next file."""
    for side, leftovers in (("ours", matching.ours), ("theirs", matching.theirs)):
        for each in leftovers:
            if side == "theirs" or each.item.on <= until:
                yield Found(check, f"{side} {each.item.key}", _reason(each))


def _to_list(
    found: Iterable[Found], *, open_ones: Collection[Found], resolved: Collection[Found]
) -> tuple[int, list[Found]]:
    """How many were found, and those that the work list is to have: what stands there already, and
    others that nobody has explained, until it has MOST_FOUND; the next run lists more of them."""
    count, listed, room = 0, list[Found](), MOST_FOUND - len(open_ones)
    for each in found:
        count += 1
        if each in open_ones:
            listed.append(each)
        elif room > 0 and each not in resolved:
            listed.append(each)
            room -= 1
    return count, listed


def _rows(
    matching: Matching, provider: str, run_id: UUID
) -> Iterable[tuple[str, str, UUID, str, int, UUID]]:
    for each in matching.matches:
        match_id = uuid7()
        for side, keys in (("ours", each.ours), ("theirs", each.theirs)):
            for key in keys:
                item_key = key if side == "ours" else f"{provider}:{key}"
                yield side, item_key, match_id, each.kind.value, each.difference_minor, run_id


def _reason(left: Leftover) -> str:
    item = left.item
    reference = "no reference" if item.reference is None else f"reference {item.reference}"
    amount = f"{item.amount_minor} {item.currency} (minor units)"
    parts = f"; its parts may be {', '.join(left.parts)}" if left.parts else ""
    return f"{left.reason}: {amount} on {item.on}, {reference}{parts}"


def _hash_of(provider: str, raw: bytes) -> bytes:
    return hashlib.sha256(provider.encode() + b"\0" + raw).digest()


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _files_in(inbox: Path) -> list[tuple[str, Path]]:
    return [(path.parent.name, path) for path in sorted(inbox.glob("*/*.csv"))]
