"""Signed checkpoints of the ledger's hash chain, to be kept elsewhere."""

from pydantic import Field

from ledger.evidence.checkpoints import written
from server.gateway.body import Query
from server.gateway.refusals import NotFound
from server.gateway.route import Answer, Call
from server.http.shapes import MAX_PAGE, Shape

NEWEST = "newest"
MAX_POSITION = 2**63 - 2


class CheckpointShape(Shape):
    """A checkpoint, written as it was signed: `signed_at` to the microsecond."""

    position: int
    sequence: int
    hash: str
    signed_at: str
    key_id: str
    signature: str


class CheckpointList(Shape):
    """Checkpoints, newest first."""

    checkpoints: list[CheckpointShape]
    next_cursor: int | None


class PublicKeyShape(Shape):
    """A public key, raw, in base64."""

    key_id: str
    ed25519: str


class CheckpointExport(Shape):
    """What `sociallive ledger verify --checkpoints` reads."""

    format: str
    keys: list[PublicKeyShape]
    checkpoints: list[CheckpointShape]


class CheckpointPaging(Query):
    """Which part of the list; `cursor` is a position."""

    cursor: int | None = Field(default=None, ge=1, le=MAX_POSITION)
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


async def listed(call: Call) -> Answer:
    """Signed checkpoints."""
    query = call.read(CheckpointPaging)
    found = await call.services.checkpoints.page(query.cursor, query.limit)
    return Answer(
        CheckpointList(
            checkpoints=[CheckpointShape(**written(each)) for each in found],
            next_cursor=found[-1].position if len(found) == query.limit else None,
        )
    )


async def exported(call: Call) -> Answer:
    """One checkpoint with its public key, or the newest one."""
    position = _position(call.text_of("position"))
    document = await call.services.checkpoints.export(position)
    return Answer(CheckpointExport.model_validate(document))


def _position(text: str) -> int | None:
    """The position that an address names; None for the newest. Raises NotFound."""
    if text == NEWEST:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_POSITION)):
        return min(int(text), MAX_POSITION)
    raise NotFound("There is no such checkpoint.")
