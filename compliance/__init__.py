"""Compliance: anti-money-laundering checks, alerts and the audit log."""
