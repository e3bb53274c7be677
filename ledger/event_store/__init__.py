"""The log of sagas and payouts: streams of typed events that steps read and answer."""
