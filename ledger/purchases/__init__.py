"""Purchases of coins: from a payment to the credit on a wallet, or to the refund of the payment."""
