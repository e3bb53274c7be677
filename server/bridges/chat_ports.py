"""What the chat asks of identity, the catalogue of streams and the ledger."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from uuid import UUID

from chat import errors as chat_errors
from chat.members import GiftFace, Member, RoomInfo
from identity.errors import ExpiredToken, InvalidToken, Suspended, UnknownUser
from identity.service import IdentityService
from ledger.errors import LedgerRefusal
from ledger.gifts import GiftRequest
from ledger.service import LedgerService
from media.catalog import StreamCatalog
from media.errors import UnknownStream


class ChatUsers:
    """`chat.ports.Authenticator` and `chat.ports.UserDirectory`."""

    def __init__(self, identity: IdentityService) -> None:
        self._identity = identity

    async def authenticate(self, token: str) -> Member:
        try:
            principal = await self._identity.authenticate(token)
        except ExpiredToken as error:
            raise chat_errors.ExpiredToken from error
        except Suspended as error:
            raise chat_errors.Suspended from error
        except InvalidToken as error:
            raise chat_errors.InvalidToken from error
        return Member(
            user_id=principal.user_id,
            name=principal.display_name,
            roles=frozenset(role.value for role in principal.roles),
            expires_at=principal.expires_at,
        )

    async def roles(self, user_id: UUID) -> frozenset[str] | None:
        try:
            user = await self._identity.user(user_id)
        except UnknownUser:
            return None
        return frozenset(role.value for role in user.roles)


class ChatStreams:
    """`chat.ports.StreamDirectory`."""

    def __init__(self, catalog: StreamCatalog) -> None:
        self._catalog = catalog

    async def stream(self, stream_id: UUID) -> RoomInfo | None:
        try:
            stream = await self._catalog.get(stream_id)
        except UnknownStream:
            return None
        return RoomInfo(stream.stream_id, stream.owner_id, stream.state.value)


class ChatGifts:
    """`chat.ports.GiftDesk`."""

    def __init__(self, ledger: LedgerService) -> None:
        self._ledger = ledger
        self._faces = {
            gift.gift_id: GiftFace(gift.name, gift.emoji) for gift in self._ledger.catalogue
        }

    async def send(
        self, *, member: Member, stream: RoomInfo, request_id: UUID, gift_id: str, count: int
    ) -> Mapping[str, Any]:
        request = GiftRequest(
            request_id=request_id,
            payer_id=member.user_id,
            payer_name=member.name,
            payee_id=stream.owner_id,
            stream_id=stream.stream_id,
            gift_id=gift_id,
            count=count,
        )
        try:
            receipt = await self._ledger.send_gift(request)
        except LedgerRefusal as refusal:
            raise chat_errors.GiftRefused(refusal.code, str(refusal)) from refusal
        posted_at = receipt.posted_at.astimezone(UTC).isoformat(timespec="milliseconds")
        return {
            "request_id": str(receipt.request_id),
            "transaction_id": str(receipt.transaction_id),
            "gift_id": receipt.gift_id,
            "count": receipt.count,
            "total_minor": receipt.total_minor,
            "currency": receipt.currency,
            "balance_minor": receipt.balance_minor,
            "posted_at": posted_at.replace("+00:00", "Z"),
        }

    def face(self, gift_id: str) -> GiftFace | None:
        return self._faces.get(gift_id)
