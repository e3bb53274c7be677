"""Refusals of compliance.

ComplianceRefusal
├── InvalidField            invalid_request      `field` says which
└── aml.errors.AlertRefusal
    ├── UnknownAlert        not_found
    └── InvalidTransition   invalid_transition
"""

from typing import ClassVar


class ComplianceRefusal(Exception):
    """Something that was asked for is not done; `message` says what to do next."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class InvalidField(ComplianceRefusal):
    """A value that was sent can't be used."""

    code = "invalid_request"

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)
