"""Backups of the database: made while the server runs, checked, and restored into an empty one."""
