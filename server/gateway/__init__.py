"""The gateway: what every HTTP request passes before a handler sees it."""
