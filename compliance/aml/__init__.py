"""Anti-money-laundering: rules over the ledger's events, scores, alerts."""
