"""The double-entry ledger: accounts, postings, gifts, and the log of events for the world."""
