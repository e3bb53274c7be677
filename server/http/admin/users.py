"""Accounts, seen and steered by admins."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from identity.roles import Role
from ledger.money import MAX_MINOR
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.shapes import Paging, Shape, UserShape


class UserSearch(Paging):
    """`query` is the beginning of an e-mail or a display name."""

    query: Annotated[str, Field(max_length=200)] | None = None


class UserPage(Shape):
    """Users, newest first."""

    users: list[UserShape]
    next_cursor: str | None


class NewRoles(Body):
    """All roles that a user shall have."""

    roles: list[Role] = Field(max_length=len(Role))


class Grant(Body):
    """Coins out of nothing; `request_id` is the idempotency key."""

    request_id: UUID
    amount_minor: int = Field(ge=1, le=MAX_MINOR)
    reason: str


class GrantReceiptShape(Shape):
    """A posted grant."""

    transaction_id: UUID
    balance_minor: int
    currency: str


async def listed(call: Call) -> Answer:
    """Find users."""
    query = call.read(UserSearch)
    page = await call.services.identity.users(
        query=query.query, cursor=query.cursor, limit=query.limit
    )
    return Answer(
        UserPage(users=[UserShape.of(user) for user in page.items], next_cursor=page.next_cursor)
    )


async def suspend(call: Call) -> Answer:
    """Suspend a user: their sessions, streams and chat connections end."""
    services = call.services
    user = await services.identity.suspend(call.uuid("user_id"))
    for stream in await services.catalog.owned(user.user_id):
        await services.media.stop_stream(stream.stream_id, "An admin stopped this stream.")
    await services.chat.disconnect_user(user.user_id)
    return Answer(UserShape.of(user))


async def reinstate(call: Call) -> Answer:
    """Let a suspended user sign in again."""
    return Answer(UserShape.of(await call.services.identity.reinstate(call.uuid("user_id"))))


async def set_roles(call: Call) -> Answer:
    """Replace a user's roles; the chat lets them in again with the new ones."""
    user = await call.services.identity.set_roles(call.uuid("user_id"), call.read(NewRoles).roles)
    return Answer(UserShape.of(user))


async def grant(call: Call) -> Answer:
    """Grant coins to a user."""
    body = call.read(Grant)
    user = await call.services.identity.user(call.uuid("user_id"))
    receipt = await call.services.ledger.grant(
        request_id=body.request_id,
        user_id=user.user_id,
        amount_minor=body.amount_minor,
        reason=body.reason,
        granted_by=call.principal.user_id,
    )
    shape = GrantReceiptShape.model_validate(receipt)
    return Answer(shape, status=200 if receipt.repeated else 201)
