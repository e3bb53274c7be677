"""A payment provider's settlement file: CSV in a declared format, read line by line.

Every line is one movement at the provider: its id there, the reference that we gave it where it has
one, an amount (negative for what went out), a currency and a day. What does not fit the declared
format is refused with its line, and then nothing of the file is used.

MalformedSettlement
    The file is not in its format; the message names the line and the column.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from config.reconcile import SettlementFormat
from ledger.decimals import minor
from ledger.reconcile.items import Item

MAX_CELL = 200
MAX_TOTAL = 2**63 - 1
FIRST_YEAR = 1970


class MalformedSettlement(ValueError):
    """The file is not in its format; `line` counts from 1, the header included."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Line {line}: {problem}")
        self.line = line


@dataclass(frozen=True, slots=True)
class SettlementFile:
    """What a file says."""

    lines: tuple[Item, ...]

    @property
    def total_minor(self) -> dict[str, int]:
        """The sum by currency."""
        totals: dict[str, int] = {}
        for line in self.lines:
            totals[line.currency] = totals.get(line.currency, 0) + line.amount_minor
        return totals


def read_settlement(
    content: bytes | str, form: SettlementFormat, scales: Mapping[str, int]
) -> SettlementFile:
    """The movements of a file; `scales` are the digits behind the point by currency.

    Text is taken as it is, bytes are decoded as the format says. Raises MalformedSettlement.
    """
    text = content if isinstance(content, str) else _decoded(content, form.encoding)
    rows = _rows(text.removeprefix("\ufeff"), form)
    _, header = next(rows, (1, []))
    columns = {
        name: _column(header, name)
        for name in (
            form.id_column,
            form.reference_column,
            form.amount_column,
            form.currency_column,
            form.date_column,
        )
        if name is not None
    }
    lines: dict[str, Item] = {}
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise MalformedSettlement(number, f"{len(row)} cells, the header has {len(header)}")
        item = _item(number, {name: row[at].strip() for name, at in columns.items()}, form, scales)
        if item.key in lines:
            raise MalformedSettlement(number, f"the id {item.key!r} stands twice")
        if len(lines) >= form.max_lines:
            raise MalformedSettlement(number, f"more than {form.max_lines} lines; split the file")
        lines[item.key] = item
    file = SettlementFile(tuple(lines.values()))
    if any(abs(total) > MAX_TOTAL for total in file.total_minor.values()):
        raise MalformedSettlement(1, "the amounts add up to more than money can be; split the file")
    return file


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MalformedSettlement(line, f"not {encoding}") from None


def _rows(text: str, form: SettlementFormat) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise MalformedSettlement(reader.line_num, str(error)) from None
        yield reader.line_num, row


def _column(header: list[str], name: str) -> int:
    places = [at for at, cell in enumerate(header) if cell.strip() == name]
    if len(places) != 1:
        count = "no" if not places else "more than one"
        raise MalformedSettlement(1, f"there is {count} column {name!r}")
    return places[0]


def _item(
    number: int, cells: Mapping[str, str], form: SettlementFormat, scales: Mapping[str, int]
) -> Item:
    for name, cell in cells.items():
        if len(cell) > MAX_CELL or "\0" in cell:
            raise MalformedSettlement(number, f"{name}: too long, or no text")
    key = cells[form.id_column]
    if not key:
        raise MalformedSettlement(number, f"{form.id_column} is empty")
    currency = form.currency if form.currency_column is None else cells[form.currency_column]
    if currency not in scales:
        raise MalformedSettlement(number, f"the ledger has no currency {currency!r}")
    try:
        amount = minor(
            cells[form.amount_column].replace(form.decimal_separator, "."),
            0 if form.amount_in == "minor" else scales[currency],
        )
    except ValueError as error:
        raise MalformedSettlement(number, f"{form.amount_column}: {error}") from None
    reference = None if form.reference_column is None else cells[form.reference_column] or None
    on = _date(number, cells[form.date_column], form)
    return Item(key, reference, -amount if form.negate else amount, currency, on)


def _date(number: int, text: str, form: SettlementFormat) -> date:
    try:
        on = datetime.strptime(text, form.date_format).date()
    except ValueError:
        problem = f"{form.date_column}: {text!r} is no date like {form.date_format}"
        raise MalformedSettlement(number, problem) from None
    if on.year < FIRST_YEAR:
        raise MalformedSettlement(number, f"{form.date_column}: {text!r} is before {FIRST_YEAR}")
    return on
