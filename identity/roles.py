"""What a user may be."""

from enum import StrEnum


class Role(StrEnum):
    """Roles are independent of each other; routes name those that may call them.

    `admin` alone may call everything, which is the route table's rule, not a role's.
    """

    VIEWER = "viewer"
    STREAMER = "streamer"
    MODERATOR = "moderator"
    ADMIN = "admin"
