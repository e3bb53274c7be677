"""The composition root: listeners, gateway, stores, telemetry, CLI. Nobody imports it."""
