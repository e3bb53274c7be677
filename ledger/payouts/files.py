"""The files of the manual provider: payouts to be paid, and what became of them.

Both are CSV in UTF-8 (RFC 4180), a header first. The last line carries the count of lines, the sum
of their amounts and the SHA-256 of every byte before it, so that a file that was cut short, doubled
or edited shows.

    payout_id,amount_minor,currency,destination
    0199…,5000,COIN,DE02 1203 0000 0000 2020 51
    TOTAL,1,5000,9f86d0…

    payout_id,amount_minor,currency,status,reference,reason
    0199…,5000,COIN,settled,TX-1,
    TOTAL,1,5000,,,

In a file of results, which people make too, the checksum may be left out; count and sum may not.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.payouts.errors import FileRefused, LineFault
from ledger.payouts.payout import MAX_REASON_CHARS
from ledger.payouts.provider import MAX_REFERENCE_CHARS, PayoutOrder
from ledger.payouts.results import CURRENCY, PayoutResult, ResultStatus

TOTAL = "TOTAL"
ORDER_HEADER = ("payout_id", "amount_minor", "currency", "destination")
RESULT_HEADER = ("payout_id", "amount_minor", "currency", "status", "reference", "reason")
MAX_FAULTS = 20
MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class OrderFile:
    """A file of payouts to be paid."""

    content: bytes
    lines: int
    total_minor: int

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()


def order_file(orders: Sequence[PayoutOrder]) -> OrderFile:
    """The file of these orders, in the order of their ids: the same orders, the same bytes."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(ORDER_HEADER)
    for order in sorted(orders, key=lambda each: each.payout_id):
        writer.writerow((order.payout_id, order.amount_minor, order.currency, order.destination))
    total_minor = sum(order.amount_minor for order in orders)
    checksum = hashlib.sha256(text.getvalue().encode()).hexdigest()
    writer.writerow((TOTAL, len(orders), total_minor, checksum))
    return OrderFile(text.getvalue().encode(), len(orders), total_minor)


def parse_results(content: bytes, most_lines: int) -> list[PayoutResult]:
    """The results in a file. Raises FileRefused, with everything that is wrong with it."""
    reader = _Reader(most_lines)
    return reader.read(content)


class _Reader:
    """Reads one file of results, and gathers what is wrong with it."""

    def __init__(self, most_lines: int) -> None:
        self._most_lines = most_lines
        self._faults: list[LineFault] = []

    def read(self, content: bytes) -> list[PayoutResult]:
        rows = self._rows(content)
        results: list[PayoutResult] = []
        if not rows or tuple(rows[0]) != RESULT_HEADER:
            self._fault(1, f"Begin with the header {','.join(RESULT_HEADER)}.")
        elif len(rows) < 2 or rows[-1][:1] != [TOTAL]:
            self._fault(len(rows), f"End with a line {TOTAL},count,sum,checksum,, .")
        elif len(rows) - 2 > self._most_lines:
            self._fault(len(rows), f"Send at most {self._most_lines:,} lines in one file.")
        else:
            results = self._results(rows[1:-1])
            self._check_total(rows[-1], results, len(rows), content)
        if self._faults:
            raise FileRefused(self._faults)
        return results

    def _rows(self, content: bytes) -> list[list[str]]:
        try:
            text = content.decode("utf-8-sig")
            return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        except (UnicodeDecodeError, csv.Error) as error:
            self._fault(1, f"Send CSV in UTF-8: {error}.")
            return []

    def _results(self, rows: Sequence[Sequence[str]]) -> list[PayoutResult]:
        results: dict[UUID, PayoutResult] = {}
        for number, row in enumerate(rows, 2):
            try:
                result = _result(row)
            except ValueError as error:
                self._fault(number, str(error))
                continue
            if result.payout_id in results:
                self._fault(number, "This payout stands in the file twice.")
            results[result.payout_id] = result
        return list(results.values())

    def _check_total(
        self, row: Sequence[str], results: Sequence[PayoutResult], number: int, content: bytes
    ) -> None:
        if self._faults:
            return  # lines that can't be read would only make wrong sums
        total = (str(len(results)), str(sum(result.amount_minor for result in results)))
        if len(row) != len(RESULT_HEADER) or tuple(row[1:3]) != total:
            self._fault(number, f"The lines say {TOTAL},{total[0]},{total[1]}: one is not right.")
        elif row[3]:
            before = content[: content.rstrip(b"\r\n").rfind(b"\n") + 1]
            if hashlib.sha256(before).hexdigest() != row[3].lower():
                self._fault(number, "The checksum is not that of the lines before it.")

    def _fault(self, line: int, message: str) -> None:
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(LineFault(f"line {line}", message))


def _result(row: Sequence[str]) -> PayoutResult:
    if len(row) != len(RESULT_HEADER):
        raise ValueError(f"Give {len(RESULT_HEADER)} fields.")
    payout_id, amount, currency, status, reference, reason = row
    try:
        parsed_id = UUID(payout_id)
    except ValueError:
        raise ValueError("payout_id: give the UUID from the file of payouts.") from None
    if not (amount.isascii() and amount.isdecimal() and 0 < len(amount) <= MAX_DIGITS):
        raise ValueError("amount_minor: give a whole number of minor units.")
    if CURRENCY.fullmatch(currency) is None:
        raise ValueError("currency: give the code from the file of payouts.")
    if status not in set(ResultStatus):
        raise ValueError(f"status: give one of {', '.join(ResultStatus)}.")
    for name, text, most in (
        ("reference", reference, MAX_REFERENCE_CHARS),
        ("reason", reason, MAX_REASON_CHARS),
    ):
        if len(text) > most or not text.isprintable():
            raise ValueError(f"{name}: give one line of at most {most} characters.")
    if status != ResultStatus.SETTLED and not reason.strip():
        raise ValueError("reason: say why it was not paid.")
    return PayoutResult(
        payout_id=parsed_id,
        status=ResultStatus(status),
        amount_minor=int(amount),
        currency=currency,
        reference=reference or None,
        reason=reason.strip() or None,
    )
