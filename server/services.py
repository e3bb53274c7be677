"""What the HTTP routes may call: the domains' services, composed once by the application."""

from dataclasses import dataclass

from chat.server import ChatServer
from compliance.aml.service import AlertService
from compliance.audit import AuditLog
from identity.service import IdentityService
from ledger.evidence.checkpoint_desk import CheckpointDesk
from ledger.reconcile.service import Reconciler
from ledger.service import LedgerService
from media.catalog import StreamCatalog
from media.door import MediaDoor
from server.consumers import EventConsumers
from server.health import Readiness
from server.metrics import Metrics
from server.payouts import Payouts


@dataclass(frozen=True, slots=True)
class Services:
    """The doors into the domains, and what the process tells of itself."""

    identity: IdentityService
    ledger: LedgerService
    payouts: Payouts
    reconciler: Reconciler
    checkpoints: CheckpointDesk
    alerts: AlertService
    audit: AuditLog
    consumers: EventConsumers
    catalog: StreamCatalog
    media: MediaDoor
    chat: ChatServer
    readiness: Readiness
    metrics: Metrics
