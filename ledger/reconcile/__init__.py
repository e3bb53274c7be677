"""Reconciliation: the ledger against itself, against what it published, and against providers."""
