"""Settings of reconciliation: how a provider's settlement file looks, and what counts as equal."""

from typing import Annotated, Literal

from pydantic import Field

from config.section import Section

Scale = Annotated[int, Field(ge=0, le=8)]
ProviderName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]


class SettlementFormat(Section):
    """The CSV that a payment provider sends. Columns are named as in its header."""

    delimiter: str = Field(default=",", pattern=r"^[,;|\t]$")
    """What stands between cells."""

    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"
    """How text is encoded; a byte order mark is passed over."""

    id_column: str = "id"
    """The provider's own id of a movement, unique for good."""

    reference_column: str | None = "reference"
    """The reference that we gave; none where the file has no such column."""

    amount_column: str = "amount"
    """What moved: positive where money came in."""

    amount_in: Literal["major", "minor"] = "major"
    """Whether amounts are decimals of the currency (`4.99`) or whole minor units (`499`)."""

    decimal_separator: str = Field(default=".", pattern=r"^[.,]$")
    """What stands before the minor units."""

    negate: bool = False
    """Whether the file has money that came in as negative."""

    reference_prefix: str = Field(default="", max_length=50)
    """How references of this provider begin, where there are several providers."""

    currency_column: str | None = "currency"
    """The currency's code; none where the whole file is in `currency`."""

    currency: str = Field(default="COIN", pattern=r"^[A-Z]{3,8}$")
    """The currency of a file without a column for it."""

    date_column: str = "date"
    """The day of the movement."""

    date_format: str = Field(default="%Y-%m-%d", min_length=2)
    """How that day is written, as in Python's `strptime`."""

    max_lines: int = Field(default=1_000_000, ge=1, le=10_000_000)
    """Most lines of one file."""

    max_bytes: int = Field(default=256 * 2**20, ge=1, le=2 * 2**30)
    """Most bytes of one file; a larger one is refused before it is decoded."""


class ReconcileSettings(Section):
    """Comparing the ledger with what it published and with payment providers."""

    every_s: float = Field(default=3600, ge=1, le=7 * 86_400)
    """How often the ledger is compared with itself and with what it published."""

    inbox: str | None = Field(default=None, min_length=1)
    """A folder of settlement files, `<provider>/*.csv`, that the schedule takes in; without it,
    files come by command and API alone."""

    providers: dict[ProviderName, SettlementFormat] = Field(default={"default": SettlementFormat()})
    """The format of each provider's files, by the provider's name: a-z, 0-9, `-` and `_`."""

    amount_tolerance_minor: int = Field(default=0, ge=0)
    """How far apart two amounts of the same money may be."""

    date_tolerance_days: int = Field(default=3, ge=0, le=60)
    """How far apart two days of the same money may be."""

    scales: dict[str, Scale] = Field(default={"EUR": 2, "GBP": 2, "JPY": 0, "USD": 2})
    """Digits behind the point of currencies that people pay in, beside those of the ledger."""

    most_parts: int = Field(default=8, ge=1, le=50)
    """Most movements that are tried as the parts of one sum."""
