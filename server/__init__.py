"""The composition root: listeners, gateway, stores, telemetry, CLI. No domain rules; nobody imports it."""
