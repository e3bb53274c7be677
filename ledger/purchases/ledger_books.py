"""The books of purchases are the ledger's."""

from uuid import UUID, uuid5

from ledger.errors import AccountClosed, AmountTooLarge, DuplicateReference, RequestExpired
from ledger.purchases.errors import CreditRefused
from ledger.purchases.purchase import Purchase
from ledger.service import LedgerService

CALLER = uuid5(UUID(int=0), "ledger.purchases")
"""Whose requests these are, for the ledger; never change it."""


class LedgerPurchaseBooks:
    """`ledger.purchases.saga.PurchaseBooks`."""

    def __init__(self, ledger: LedgerService) -> None:
        self._ledger = ledger

    async def credit(self, purchase: Purchase) -> UUID:
        try:
            posted = await self._ledger.credit_purchase(
                caller_id=CALLER,
                request_id=purchase.request_key(),
                user_id=purchase.user_id,
                amount_minor=purchase.amount_minor,
                reference=purchase.reference,
                metadata={
                    "purchase_id": str(purchase.purchase_id),
                    "paid_minor": purchase.paid_minor,
                    "paid_currency": purchase.paid_currency,
                },
            )
        except (AccountClosed, AmountTooLarge, DuplicateReference) as error:
            raise CreditRefused(str(error)) from error
        except RequestExpired as expired:
            if expired.transaction_id is None:
                raise
            return expired.transaction_id  # it was credited, and the answer was lost
        return posted.transaction_id
