"""Sagas: what follows from an event, step by step, each done once in effect however often tried."""
