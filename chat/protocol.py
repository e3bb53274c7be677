"""One connection as a sans-IO core: a WebSocket message and the time go in, actions come out.

Checks run in this order, and the first that fails answers: readable, well-formed, not too many
requests, hello first, known type, signed in, valid fields, joined, moderator, rate of the class.
Malformed frames and floods count as strikes; too many end the connection.

Times are seconds of one monotonic clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias
from uuid import UUID

from chat import requests
from chat.errors import (
    BadFrame,
    ChatRefusal,
    CloseCode,
    Disconnect,
    Forbidden,
    HelloFirst,
    NotJoined,
    RateLimited,
    TooManyRooms,
    Unauthenticated,
    UnknownType,
)
from chat.frames import Codec, Frame
from chat.limits import Rate, RateLimiter, TokenBucket
from chat.members import Member
from chat.moderation import may_moderate
from chat.requests import Fields, Hello, Join, Request, RequestId, RoomRequest
from config.chat import ChatSettings


class Needs(Enum):
    """What somebody must be for a request."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    MODERATOR = "moderator, admin or the stream's owner"


class RateClass(Enum):
    """Which limit a request counts against, beside that of all requests of the connection."""

    REQUEST = "request"
    HELLO = "hello"
    SAY = "say"
    GIFT = "gift"


@dataclass(frozen=True, slots=True)
class Route:
    """How a frame type is read and who may send it."""

    read: Callable[[Fields], Request]
    needs: Needs
    rate: RateClass


ROUTES: dict[str, Route] = {
    "hello": Route(requests.Hello.read, Needs.ANYONE, RateClass.HELLO),
    "ping": Route(requests.Ping.read, Needs.ANYONE, RateClass.REQUEST),
    "join": Route(requests.Join.read, Needs.ANYONE, RateClass.REQUEST),
    "leave": Route(requests.Leave.read, Needs.ANYONE, RateClass.REQUEST),
    "say": Route(requests.Say.read, Needs.SIGNED_IN, RateClass.SAY),
    "gift": Route(requests.SendGift.read, Needs.SIGNED_IN, RateClass.GIFT),
    "delete": Route(requests.Delete.read, Needs.MODERATOR, RateClass.REQUEST),
    "timeout": Route(requests.TimeOut.read, Needs.MODERATOR, RateClass.REQUEST),
}


@dataclass(frozen=True, slots=True)
class Send:
    """Send this frame to the client."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Perform:
    """Serve this request, which passed every check, and answer with its id."""

    request: Request
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class SignOut:
    """The user became a guest: forget who it was."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection."""

    code: CloseCode
    reason: str


Action: TypeAlias = Send | Perform | SignOut | Close


class _Flood(RateLimited):
    """More requests than a client of good will sends; counts as a strike."""


class UserRates:
    """The limits of users over all of their connections to this node."""

    def __init__(self, settings: ChatSettings) -> None:
        self.by_class = {
            RateClass.SAY: RateLimiter(Rate(settings.messages_per_10_s, 10.0)),
            RateClass.GIFT: RateLimiter(Rate(settings.gifts_per_10_s, 10.0)),
        }


class ChatProtocol:
    """The state of one connection."""

    def __init__(
        self, codec: Codec, settings: ChatSettings, user_rates: UserRates, now: float
    ) -> None:
        self.codec = codec
        self.member: Member | None = None
        self.rooms: dict[UUID, UUID] = {}
        """The owners of the joined streams, by stream."""
        self._settings = settings
        self._user_rates = user_rates
        self._requests = TokenBucket(Rate(settings.requests_per_10_s, 10.0))
        self._hellos = TokenBucket(Rate(settings.hellos_per_minute, 60.0))
        self._strikes = TokenBucket(Rate(settings.max_bad_frames, 60.0))
        self._greeted = False
        self._greeting = False
        self._hello_by = now + settings.hello_timeout_s
        self._expires_at = 0.0

    @property
    def deadline(self) -> float | None:
        """When to call `poll`; None while nothing is waited for."""
        if self.member is not None:
            return self._expires_at
        return None if self._greeted or self._greeting else self._hello_by

    def receive(self, data: str | bytes, now: float) -> list[Action]:
        """What one WebSocket message leads to."""
        actions: list[Action] = [*self.poll(now)]
        if any(isinstance(action, Close) for action in actions):
            return actions
        number: RequestId = None
        try:
            frame = self.codec.decode(data)
            number = requests.request_id(frame)
            self._check_flood(now)
            request = self._checked(frame, now)
        except ChatRefusal as refusal:
            actions.append(Send(answer(refused(refusal), number)))
            if isinstance(refusal, BadFrame | _Flood) and self._strikes.take(now):
                actions.append(Close(CloseCode.BAD_FRAMES, "too many bad frames"))
        except Disconnect as end:
            actions.append(Close(end.code, end.reason))
        else:
            self._greeting = isinstance(request, Hello)
            actions.append(Perform(request, number))
        return actions

    def poll(self, now: float) -> list[Send | SignOut | Close]:
        """What the passing of time leads to."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        if self.member is None:
            return [Close(CloseCode.HELLO_TIMEOUT, "no hello in time")]
        self.member = None
        return [SignOut(), Send({"t": "expired"})]

    def greet(self, member: Member | None, expires_at: float) -> None:
        """A hello was accepted; without a member it is a guest's."""
        self.member = member
        self._expires_at = expires_at
        self._greeted = True
        self._greeting = False

    def decline(self) -> None:
        """A hello was refused; who it was before stays."""
        self._greeting = False

    def _check_flood(self, now: float) -> None:
        if wait_s := self._requests.take(now):
            raise _Flood(retry_after_ms=_milliseconds(wait_s))

    def _checked(self, frame: Frame, now: float) -> Request:
        kind = frame.get("t")
        if not isinstance(kind, str):
            raise BadFrame
        if not self._greeted and kind != "hello":
            raise HelloFirst
        route = ROUTES.get(kind)
        if route is None:
            raise UnknownType
        if route.needs is not Needs.ANYONE and self.member is None:
            raise Unauthenticated
        request = route.read(Fields(frame, self._settings.max_text_chars))
        self._check_room(route, request)
        self._check_rate(route.rate, now)
        return request

    def _check_room(self, route: Route, request: Request) -> None:
        if isinstance(request, Join):
            is_full = len(self.rooms) >= self._settings.max_rooms_per_connection
            if is_full and request.stream_id not in self.rooms:
                raise TooManyRooms
        if not isinstance(request, RoomRequest):
            return
        owner_id = self.rooms.get(request.stream_id)
        if owner_id is None:
            raise NotJoined
        if route.needs is Needs.MODERATOR and not (
            self.member and may_moderate(self.member, owner_id)
        ):
            raise Forbidden

    def _check_rate(self, rate: RateClass, now: float) -> None:
        if rate is RateClass.REQUEST:
            return
        if rate is RateClass.HELLO:
            wait_s = self._hellos.take(now)
        else:
            user_id = self.member and self.member.user_id
            wait_s = self._user_rates.by_class[rate].take(user_id, now)
        if wait_s:
            raise RateLimited(retry_after_ms=_milliseconds(wait_s))


def refused(refusal: ChatRefusal) -> Frame:
    """The frame that tells a client why."""
    return {"t": "refused", "code": refusal.code, "message": refusal.message, **refusal.details}


def answer(frame: Frame, number: RequestId) -> Frame:
    """`frame` as the answer to the request with this id."""
    return frame if number is None else {**frame, "id": number}


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
