"""The HTTP routes and their handlers."""
