"""Settings of the ledger."""

from pydantic import Field

from config.section import Section


class LedgerSettings(Section):
    """Gifts, coins and fees."""

    currency: str = Field(default="COIN", pattern=r"^[A-Z]{3,8}$")
    """Currency of gifts and wallets."""

    fee_basis_points: int = Field(default=3000, ge=0, le=10_000)
    """The platform's share of a gift in hundredths of a percent; rounded in the streamer's favour."""

    max_gift_count: int = Field(default=1000, ge=1)
    """Most pieces of one gift in one request."""
