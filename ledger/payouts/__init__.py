"""Payouts: from a streamer's available earnings to a payment provider, and back where it fails."""
