from uuid import uuid4

from ledger.payouts.provider import Accepted, ManualProvider, PayoutOrder, PayoutProvider


async def test_the_manual_provider_takes_every_order_into_its_batch():
    provider: PayoutProvider = ManualProvider()
    assert (provider.name, provider.automatic) == ("manual", False)
    order = PayoutOrder(uuid4(), 5_000, "COIN", "DE02 1203")
    assert await provider.submit(order) == await provider.submit(order) == Accepted(None)
    assert await provider.look_up(order) is None
