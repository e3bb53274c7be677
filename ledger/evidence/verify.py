"""Verification of the whole ledger, or of some batches of it. It only reads.

In this order; what is found in one step ends it, so the first finding is the first bad row:

1. chain: positions without holes, every hash follows from the one before, seals and external
   references as chained
2. checkpoints: signatures good, hashes those of the chain, none missing of those that were given
3. the chart as the product has it; accounts: everything but their balances as it was sealed; no
   reference that is not chained, and no seal of a reference that is not there
4. replay of every batch (ledger/evidence/replay.py), a window of rows at a time
5. beside the replay, requests: none that is not chained, all as they were (request_check.py), and
   no seal of one that is not there
6. one moment of the ledger: what is not chained yet is replayed, then sums of reversals,
   currencies, descriptions, holds and balances compared

Memory is that of two windows, some requests and one small record an account and a hold, however
long the ledger is. While one window is replayed in a thread, the next one is fetched.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.evidence.batches import Batch, Streams, assemble
from ledger.evidence.books import Books, Snapshot
from ledger.evidence.chart_check import chart_findings
from ledger.evidence.checkpoints import Checkpoint
from ledger.evidence.encoding import MalformedRows
from ledger.evidence.findings import (
    Finding,
    changed_references,
    changed_seals,
    missing_batch,
    stray_batch,
)
from ledger.evidence.links import GENESIS, Link, LinkKind, references_digest, seals_digest
from ledger.evidence.replay import Replay
from ledger.evidence.request_check import changed_request
from ledger.evidence.windows import EVERYTHING, FIRST, LAST, Range, Window, within

MOST_FINDINGS = 20
PAGE_LINKS = 500
WINDOW_ROWS = 200_000
"""About how many rows are replayed at a time, some 25 MB of them."""

_STRAY = "the row was added at position {}, or what it sealed is gone"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is; `done` of `total` rows."""

    step: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified, and what is wrong; `unchained` batches were younger than the grace."""

    findings: tuple[Finding, ...]
    position: int
    head: bytes
    batches: int
    transactions: int
    entries: int
    unchained: int

    @property
    def sound(self) -> bool:
        return not self.findings


class Verifier:
    """One verification."""

    def __init__(
        self,
        books: Books,
        *,
        keys: Mapping[str, Ed25519PublicKey],
        now: datetime,
        checkpoints: Sequence[Checkpoint] = (),
        grace: timedelta = timedelta(seconds=10),
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """`checkpoints` come from outside, beside those that the ledger keeps.

        `grace`: how long after `now` a batch may wait to be chained.
        """
        self._books = books
        self._keys = keys
        self._outside = tuple(checkpoints)
        self._chained_since = now - grace
        self._progress = progress
        self._findings: list[Finding] = []
        self._head = Link(0, LinkKind.SEALS, 0, b"", b"", GENESIS)
        self._newest_requests = self._head
        self._request_rows = 0
        self._windows: list[Window] = []
        self._unchained = 0

    async def verify(self, batches: Range = EVERYTHING) -> Report:
        """Verify, and say what was found. Raises what the store raises."""
        replay = Replay(from_the_beginning=batches.first is None)
        steps = [
            self._check_chain,
            self._check_checkpoints,
            self._check_accounts,
            self._check_references,
        ]
        for step in steps:
            await step()
            if self._findings:
                return self._report(replay)
        requests = asyncio.create_task(self._changed_requests(replay, batches))
        try:
            await self._replay(replay, batches)
            await asyncio.gather(requests, return_exceptions=True)
        except BaseException:
            requests.cancel()
            raise
        if not replay.findings:
            self._findings += await requests
        if batches.whole and not (replay.findings or self._findings):
            await self._compare(replay)
        self._findings += replay.findings
        return self._report(replay)

    # ---- 1 ----

    async def _check_chain(self) -> None:
        after, rows, begun = FIRST, 0, FIRST
        while page := await self._books.links(after, PAGE_LINKS):
            seals = await self._books.seals(after, page[-1].position)
            references = await self._books.references(after, page[-1].position)
            for link in page:
                if (finding := self._check_link(link, seals, references)) is not None:
                    self._findings.append(finding)
                    return
                self._head = link
                if link.kind is LinkKind.REQUESTS:
                    self._newest_requests = link
                    self._request_rows += link.rows
                    continue
                rows += link.rows
                if rows >= WINDOW_ROWS:
                    self._windows.append(Window(begun, link.sequence, rows))
                    begun, rows = link.sequence, 0
            after = page[-1].position
            self._progress(Progress("chain", after, after))
        self._windows.append(Window(begun, max(begun, self._head.sequence), rows))

    def _check_link(
        self,
        link: Link,
        seals: Mapping[int, list[memoryview]],
        references: Mapping[int, list[memoryview]],
    ) -> Finding | None:
        before = self._head
        name = f"position {link.position}"
        if link.position != before.position + 1:
            return Finding("chain", f"position {before.position + 1}", "the row is missing")
        if not link.follows_from(before.hash):
            return Finding(
                "chain", name, "its hash does not follow from its columns and the row before"
            )
        if link.kind is LinkKind.BATCH and link.sequence <= before.sequence and before.position:
            return Finding("chain", name, "its sequence does not rise")
        sealed, named = seals.get(link.position, []), references.get(link.position, [])
        if link.kind is LinkKind.SEALS and seals_digest(sealed) != link.digest:
            return changed_seals(link, sealed)
        if link.kind is LinkKind.REFERENCES and references_digest(named) != link.digest:
            return changed_references(link, named)
        return None

    # ---- 2 ----

    async def _check_checkpoints(self) -> None:
        kept = await self._books.checkpoints()
        for origin, checkpoints in (("checkpoints", kept), ("the given file", self._outside)):
            hashes = await self._books.hashes_at([each.position for each in checkpoints])
            for each in checkpoints:
                if (fault := each.fault(self._keys)) is not None:
                    self._find("checkpoints", f"position {each.position} of {origin}", fault)
                elif hashes.get(each.position) != each.hash:
                    at = f"the checkpoint of {each.signed_at} in {origin}"
                    missing = each.position not in hashes
                    problem = (
                        f"the row is missing; {at} has it" if missing else f"not as {at} has it"
                    )
                    self._find("chain", f"position {each.position}", problem)
        rows = {each.position: each for each in kept}
        for each in self._outside:
            if (row := rows.get(each.position)) != each and not self._findings:
                problem = "the row is missing" if row is None else "this row was changed"
                self._find(
                    "checkpoints", f"position {each.position}", f"{problem}; the given file has it"
                )

    # ---- 3 ----

    async def _check_accounts(self) -> None:
        self._findings += chart_findings(await self._books.chart())
        if self._findings:
            return
        for account_id, position in await self._books.stray_seals(MOST_FINDINGS):
            problem = f"added at position {position}, which has no seals"
            self._find("account_seals", f"account_id {account_id}", problem)
        for account_id, problem in await self._books.unlike_their_seal(MOST_FINDINGS):
            self._find("accounts", f"account_id {account_id}", problem)
        for account_id, position in await self._books.seals_of_another_kind(MOST_FINDINGS):
            problem = f"what never changes was changed before it was sealed at position {position}"
            self._find("accounts", f"account_id {account_id}", problem)

    async def _check_references(self) -> None:
        for reference in await self._books.uncovered_references(MOST_FINDINGS):
            problem = "the row was added: no link covers it"
            self._find("external_references", f"reference {reference}", problem)
        for reference, position in await self._books.stray_reference_seals(MOST_FINDINGS):
            self._find("reference_seals", f"reference {reference}", _STRAY.format(position))

    # ---- 4 ----

    async def _replay(self, replay: Replay, batches: Range) -> None:
        async with self._books.snapshot() as moment:
            await _add_accounts(replay, moment)
        total = sum(window.rows for window in self._windows)
        done = 0
        windows = within(self._windows, batches)
        fetching = _start(self._fetch, windows)
        try:
            while fetching is not None:
                window, streams, links = await fetching
                fetching = _start(self._fetch, windows)
                await asyncio.to_thread(_play_window, replay, streams, links)
                done += window.rows
                self._progress(Progress("replay", done, total))
                if replay.findings:
                    return
        finally:
            if fetching is not None:
                fetching.cancel()

    async def _fetch(self, window: Window) -> tuple[Window, Streams, list[Link]]:
        return (
            window,
            await self._books.streams(window.after, window.until),
            await self._books.batch_links(window.after, window.until),
        )

    # ---- 5 ----

    async def _changed_requests(self, replay: Replay, batches: Range) -> list[Finding]:
        if batches.whole:
            async with self._books.snapshot() as moment:
                if found := await self._uncovered(moment):
                    return found
        total = self._request_rows
        changed = await changed_request(
            self._books,
            batches.after,
            batches.until,
            progress=lambda done: self._progress(Progress("requests", done, total)),
            wanted=lambda: not replay.findings,
        )
        if changed is not None:
            return [changed]
        return [
            Finding("request_seals", f"request_id {request_id}", _STRAY.format(position))
            for request_id, position in await self._books.stray_request_seals(MOST_FINDINGS)
        ]

    async def _uncovered(self, moment: Snapshot) -> list[Finding]:
        problem = "the row was added or changed: no link covers it as it is"
        found = [
            Finding("requests", f"request_id {request_id}", problem)
            for request_id in await moment.uncovered_requests(MOST_FINDINGS)
        ]
        newest = self._newest_requests
        if not newest.position or newest.sequence >= self._head.sequence:
            return found
        # Behind the batches of a turn there is always a link of their requests.
        for sequence, posted_at in (await moment.next_sequences(newest.sequence))[:1]:
            if posted_at < self._chained_since:
                problem = f"the row is missing: nothing covers the requests of batch {sequence}"
                found.append(Finding("chain", f"position {self._head.position + 1}", problem))
        return found

    # ---- 6 ----

    async def _compare(self, replay: Replay) -> None:
        async with self._books.snapshot() as moment:
            await _add_accounts(replay, moment)
            after = self._head.sequence
            while page := await moment.next_sequences(after):
                self._judge_unchained(page)
                until = page[-1][0]
                _play_unchained(replay, await moment.streams(after, until))
                after = until
            _play_unchained(replay, await moment.streams(after, LAST))
            if not replay.findings:
                await self._compare_rows(replay, moment)

    async def _compare_rows(self, replay: Replay, moment: Snapshot) -> None:
        """What is no part of the chain, with what the chained rows come to."""
        for transaction_id, problem in await moment.unlike_what_reverses(MOST_FINDINGS):
            self._find("reversals", f"transaction_id {transaction_id}", problem)
        self._findings += replay.told.compare_currencies(await moment.scales())
        self._findings += replay.told.compare_descriptions(await moment.descriptions())
        async for hold in moment.hold_rows():
            self._findings += replay.told.compare_hold(hold)
            if len(self._findings) >= MOST_FINDINGS:
                return
        self._findings += islice(replay.told.missing_holds(), MOST_FINDINGS)
        if self._findings:
            return
        async for row in moment.account_rows():
            replay.compare([row])
            if len(replay.findings) >= MOST_FINDINGS:
                return

    def _judge_unchained(self, page: Sequence[tuple[int, datetime]]) -> None:
        for sequence, posted_at in page:
            if posted_at >= self._chained_since:
                self._unchained += 1
            elif len(self._findings) < MOST_FINDINGS:
                problem = f"posted at {posted_at}, and not in the chain"
                self._find("event_log", f"sequence {sequence}", problem)

    def _find(self, table: str, row: str, problem: str) -> None:
        self._findings.append(Finding(table, row, problem))

    def _report(self, replay: Replay) -> Report:
        return Report(
            findings=tuple(self._findings[:MOST_FINDINGS]),
            position=self._head.position,
            head=self._head.hash,
            batches=replay.batches,
            transactions=replay.transactions,
            entries=replay.entries,
            unchained=self._unchained,
        )


async def _add_accounts(replay: Replay, moment: Snapshot) -> None:
    async for account_id, currency, guarded in moment.accounts():
        replay.add_account(account_id, currency, guarded=guarded)


def _start(
    fetch: Callable[[Window], Coroutine[Any, Any, T]], windows: Iterator[Window]
) -> asyncio.Task[T] | None:
    window = next(windows, None)
    return None if window is None else asyncio.create_task(fetch(window))


def _play_window(replay: Replay, streams: Streams, links: Sequence[Link]) -> None:
    found = _assembled(replay, streams)
    if found is None:
        return
    batches = {batch.sequence: batch for batch in found}
    chained = {link.sequence: link for link in links}
    for sequence in sorted({*batches, *chained}):
        batch, link = batches.get(sequence), chained.get(sequence)
        if link is None and batch is not None:
            replay.findings.append(stray_batch(batch))
        elif batch is None and link is not None:
            replay.findings.append(missing_batch(link))
        elif batch is not None:
            replay.play(batch, link)


def _play_unchained(replay: Replay, streams: Streams) -> None:
    for batch in _assembled(replay, streams) or ():
        replay.play(batch, None)


def _assembled(replay: Replay, streams: Streams) -> list[Batch] | None:
    try:
        return assemble(streams)
    except MalformedRows as error:
        replay.findings.append(Finding("journal_entries", error.row, str(error)))
        return None
