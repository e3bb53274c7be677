"""The route table: every address of the server, who may call it, and what goes in and out.

Nothing else adds routes. `server.gateway.endpoint` enforces the rows, `server.http.openapi`
describes them, and a test walks the router and fails on an address that has no row.
"""

from typing import Final

from server.gateway.access import (
    ADMIN,
    ANYONE,
    OPERATOR,
    PAYOUT_PROVIDER,
    SIGNED_IN,
    STREAM_OWNER,
    STREAM_PUBLISHER,
    STREAMER,
)
from server.gateway.limits import RateClass
from server.gateway.route import Audit, Route, Text
from server.http import (
    auth,
    pages,
    payout_notices,
    payouts,
    sdp,
    service,
    streams,
    wallet,
    whep,
    whip,
)
from server.http.admin import (
    alerts,
    audit,
    checkpoints,
    events,
    holds,
    ledger,
    payout_files,
    purchases,
    reconciliation,
    reversals,
    sagas,
)
from server.http.admin import payouts as admin_payouts
from server.http.admin import streams as admin_streams
from server.http.admin import users as admin_users
from server.http.shapes import Paging, UserShape

SIGN_IN, READ, WRITE = RateClass.SIGN_IN, RateClass.READ, RateClass.WRITE
SESSION, PROBE = RateClass.SESSION, RateClass.PROBE

SDP, FRAGMENT = Text(sdp.SDP), Text(sdp.FRAGMENT)
NOTICE, CSV = Text("application/json"), Text(payout_files.CSV)
PAGE, FIGURES, FILE = Text("text/html"), Text("text/plain"), Text("application/octet-stream")

STREAM = "/api/streams/{stream_id}"
MINE = "/api/me/streams"
MY_STREAM = "/api/me/streams/{stream_id}"
WHIP, WHIP_SESSION = "/whip/{stream_id}", "/whip/{stream_id}/{session_id}"
WHEP, WHEP_SESSION = "/whep/{stream_id}", "/whep/{stream_id}/{session_id}"
USER = "/api/admin/users/{user_id}"
ALERT = "/api/admin/aml/alerts/{alert_id}"
MY_PAYOUT, PAYOUT = "/api/me/payouts/{payout_id}", "/api/admin/payouts/{payout_id}"
BATCHES, BATCH = "/api/admin/payout-batches", "/api/admin/payout-batches/{batch_id}"
IMPORT = "/api/admin/payout-imports/{import_id}"
TRANSACTION = "/api/admin/transactions/{transaction_id}"
PURCHASES, PURCHASE = "/api/admin/purchases", "/api/admin/purchases/{purchase_id}"
RUNS, RUN = "/api/admin/reconciliations", "/api/admin/reconciliations/{reconciliation_id}"
SETTLEMENT = "/api/admin/settlements/{provider}/{reconciliation_id}"
DIFFERENCE = "/api/admin/differences/{difference_id}"
CONSUMER = "/api/admin/events/{consumer}"
CHECKPOINTS = "/api/admin/ledger/checkpoints"
LETTER = "/api/admin/events/{consumer}/dead-letters/{letter_id}"

# fmt: off
AUTH: Final = (
    Route("POST", "/auth/register", auth.register, ANYONE, SIGN_IN,
          takes=auth.Register, gives={201: auth.Tokens}),
    Route("POST", "/auth/login", auth.login, ANYONE, SIGN_IN,
          takes=auth.Login, gives={200: auth.Tokens}),
    Route("POST", "/auth/refresh", auth.refresh, ANYONE, SIGN_IN,
          takes=auth.Refresh, gives={200: auth.Tokens}),
    Route("POST", "/auth/logout", auth.logout, SIGNED_IN, WRITE, gives={204: None}),
    Route("GET", "/auth/me", auth.me, SIGNED_IN, READ, gives={200: UserShape}),
    Route("GET", "/.well-known/jwks.json", auth.jwks, ANYONE, READ, gives={200: auth.KeySet}),
)

STREAMS: Final = (
    Route("GET", "/api/streams", streams.listed, ANYONE, READ, gives={200: streams.StreamList}),
    Route("GET", STREAM, streams.shown, ANYONE, READ, gives={200: streams.StreamShape}),
    Route("GET", MINE, streams.owned, STREAMER, READ, gives={200: streams.StreamList}),
    Route("POST", MINE, streams.create, STREAMER, WRITE,
          takes=streams.Title, gives={201: streams.StreamWithKey}),
    Route("PATCH", MY_STREAM, streams.rename, STREAM_OWNER, WRITE,
          takes=streams.Title, gives={200: streams.StreamShape}),
    Route("POST", f"{MY_STREAM}/key", streams.rotate_key, STREAM_OWNER, WRITE,
          gives={200: streams.StreamWithKey}),
    Route("POST", f"{MY_STREAM}/stop", streams.stop, STREAM_OWNER, WRITE, gives={204: None}),
    Route("GET", f"{MY_STREAM}/stats", streams.stats, STREAM_OWNER, READ,
          gives={200: streams.StreamStatsShape}),
)

SESSIONS: Final = (
    Route("POST", WHIP, whip.publish, STREAM_PUBLISHER, SESSION, takes=SDP, gives={201: SDP}),
    Route("OPTIONS", WHIP, sdp.endpoint_options, ANYONE, READ, gives={204: None}),
    Route("PATCH", WHIP_SESSION, whip.patch, STREAM_PUBLISHER, SESSION,
          takes=FRAGMENT, gives={200: FRAGMENT, 204: None}),
    Route("DELETE", WHIP_SESSION, whip.end, STREAM_PUBLISHER, SESSION, gives={200: None}),
    Route("OPTIONS", WHIP_SESSION, sdp.session_options, ANYONE, READ, gives={204: None}),
    Route("POST", WHEP, whep.watch, ANYONE, SESSION, takes=SDP, gives={201: SDP}),
    Route("OPTIONS", WHEP, sdp.endpoint_options, ANYONE, READ, gives={204: None}),
    Route("PATCH", WHEP_SESSION, whep.patch, ANYONE, SESSION,
          takes=FRAGMENT, gives={200: FRAGMENT, 204: None}),
    Route("DELETE", WHEP_SESSION, whep.end, ANYONE, SESSION, gives={200: None}),
    Route("OPTIONS", WHEP_SESSION, sdp.session_options, ANYONE, READ, gives={204: None}),
)

WALLET: Final = (
    Route("GET", "/api/gifts", wallet.gifts, ANYONE, READ, gives={200: wallet.GiftList}),
    Route("POST", f"{STREAM}/gifts", wallet.send_gift, SIGNED_IN, WRITE,
          takes=wallet.SendGift,
          gives={201: wallet.GiftReceiptShape, 200: wallet.GiftReceiptShape}),
    Route("GET", "/api/me/wallet", wallet.wallet, SIGNED_IN, READ,
          gives={200: wallet.WalletShape}),
    Route("GET", "/api/me/statement", wallet.statement, SIGNED_IN, READ,
          query=wallet.StatementPaging, gives={200: wallet.StatementShape}),
    Route("GET", "/api/me/statement.csv", wallet.statement_csv, SIGNED_IN, READ,
          query=wallet.StatementPeriod, gives={200: CSV}),
    Route("GET", "/api/me/statement.html", wallet.statement_html, SIGNED_IN, READ,
          query=wallet.StatementPeriod, gives={200: PAGE}),
    Route("GET", "/api/me/balance", wallet.balance, SIGNED_IN, READ,
          query=wallet.BalanceMoment, gives={200: wallet.BalanceShape}),
)

PAYOUTS: Final = (
    Route("GET", "/api/me/payout-terms", payouts.terms, SIGNED_IN, READ,
          gives={200: payouts.PayoutTerms}),
    Route("GET", "/api/me/payouts", payouts.listed, SIGNED_IN, READ,
          query=payouts.IdPaging, gives={200: payouts.PayoutList}),
    Route("POST", "/api/me/payouts", payouts.request, SIGNED_IN, WRITE,
          takes=payouts.NewPayout,
          gives={201: payouts.PayoutReceipt, 200: payouts.PayoutReceipt}),
    Route("GET", MY_PAYOUT, payouts.shown, SIGNED_IN, READ, gives={200: payouts.PayoutShape}),
    Route("POST", f"{MY_PAYOUT}/cancel", payouts.cancel, SIGNED_IN, WRITE,
          gives={200: payouts.PayoutShape}),
    Route("POST", "/api/payouts/notices", payout_notices.take, PAYOUT_PROVIDER, WRITE,
          takes=NOTICE, gives={200: payout_notices.NoticeTaken}),
)

PAYOUT_DESK: Final = (
    Route("GET", "/api/admin/payouts", admin_payouts.listed, ADMIN, READ,
          query=admin_payouts.PayoutFilter, gives={200: admin_payouts.AdminPayoutPage}),
    Route("GET", PAYOUT, admin_payouts.shown, ADMIN, READ,
          gives={200: admin_payouts.AdminPayoutDetails}),
    Route("POST", f"{PAYOUT}/approve", admin_payouts.approve, ADMIN, WRITE,
          takes=admin_payouts.Why, gives={200: admin_payouts.AdminPayout},
          audit=Audit("payout.approve", "payout_id")),
    Route("POST", f"{PAYOUT}/hold", admin_payouts.hold, ADMIN, WRITE,
          takes=admin_payouts.Why, gives={200: admin_payouts.AdminPayout},
          audit=Audit("payout.hold", "payout_id")),
    Route("POST", f"{PAYOUT}/reject", admin_payouts.reject, ADMIN, WRITE,
          takes=admin_payouts.Why, gives={200: admin_payouts.AdminPayout},
          audit=Audit("payout.reject", "payout_id")),
    Route("POST", f"{PAYOUT}/result", admin_payouts.result, ADMIN, WRITE,
          takes=admin_payouts.ResultByHand, gives={200: admin_payouts.AdminPayout},
          audit=Audit("payout.result", "payout_id")),
    Route("GET", BATCHES, payout_files.listed, ADMIN, READ,
          query=payouts.IdPaging, gives={200: payout_files.BatchList}),
    Route("PUT", BATCH, payout_files.make, ADMIN, WRITE,
          gives={200: payout_files.BatchShape}, audit=Audit("payout_batch.make", "batch_id")),
    Route("GET", f"{BATCH}/file", payout_files.file, ADMIN, READ, gives={200: CSV}),
    Route("PUT", IMPORT, payout_files.take_results, ADMIN, WRITE,
          takes=CSV, gives={200: payout_files.ImportShape},
          audit=Audit("payout_import.take", "import_id")),
    Route("GET", IMPORT, payout_files.report, ADMIN, READ,
          gives={200: payout_files.ImportShape}),
    Route("GET", PURCHASES, purchases.listed, ADMIN, READ,
          query=purchases.PurchaseFilter, gives={200: purchases.PurchaseList}),
    Route("POST", f"{USER}/purchases", purchases.record, ADMIN, WRITE,
          takes=purchases.Payment,
          gives={201: purchases.PurchaseReceipt, 200: purchases.PurchaseReceipt},
          audit=Audit("user.record_purchase", "user_id")),
    Route("GET", PURCHASE, purchases.shown, ADMIN, READ, gives={200: purchases.PurchaseDetails}),
    Route("POST", f"{PURCHASE}/refunded", purchases.refunded, ADMIN, WRITE,
          takes=admin_payouts.Why, gives={200: purchases.PurchaseShape},
          audit=Audit("purchase.refunded", "purchase_id")),
    Route("POST", f"{TRANSACTION}/refund", reversals.refund, ADMIN, WRITE,
          takes=reversals.Reversal,
          gives={201: reversals.ReversalReceipt, 200: reversals.ReversalReceipt},
          audit=Audit("transaction.refund", "transaction_id")),
    Route("POST", f"{TRANSACTION}/chargeback", reversals.chargeback, ADMIN, WRITE,
          takes=reversals.Reversal,
          gives={201: reversals.ReversalReceipt, 200: reversals.ReversalReceipt},
          audit=Audit("transaction.chargeback", "transaction_id")),
    Route("GET", "/api/admin/sagas/tasks", sagas.listed, ADMIN, READ,
          query=sagas.TaskFilter, gives={200: sagas.TaskList}),
    Route("POST", "/api/admin/sagas/tasks/{task_id}/retry", sagas.retry, ADMIN, WRITE,
          gives={200: sagas.TaskShape}, audit=Audit("saga_task.retry", "task_id")),
    Route("GET", "/api/admin/sagas/consumers", sagas.consumers, ADMIN, READ,
          gives={200: sagas.ConsumerList}),
)

RECONCILIATION: Final = (
    Route("GET", RUNS, reconciliation.listed, ADMIN, READ,
          query=payouts.IdPaging, gives={200: reconciliation.RunList}),
    Route("GET", RUN, reconciliation.shown, ADMIN, READ, gives={200: reconciliation.RunShape}),
    Route("PUT", RUN, reconciliation.compare, ADMIN, WRITE,
          gives={200: reconciliation.RunShape},
          audit=Audit("reconciliation.compare", "reconciliation_id")),
    Route("PUT", SETTLEMENT, reconciliation.take_settlement, ADMIN, WRITE,
          takes=CSV, gives={200: reconciliation.RunShape},
          audit=Audit("reconciliation.take_settlement", "reconciliation_id")),
    Route("GET", "/api/admin/differences", reconciliation.differences, ADMIN, READ,
          query=reconciliation.DifferenceFilter, gives={200: reconciliation.DifferenceList}),
    Route("POST", f"{DIFFERENCE}/assign", reconciliation.assign, ADMIN, WRITE,
          takes=alerts.Assignment, gives={200: reconciliation.DifferenceShape},
          audit=Audit("difference.assign", "difference_id")),
    Route("POST", f"{DIFFERENCE}/resolve", reconciliation.resolve, ADMIN, WRITE,
          takes=reconciliation.Explanation, gives={200: reconciliation.DifferenceShape},
          audit=Audit("difference.resolve", "difference_id")),
)

ADMINISTRATION: Final = (
    Route("GET", "/api/admin/streams", admin_streams.listed, ADMIN, READ,
          gives={200: streams.StreamList}),
    Route("POST", "/api/admin/streams/{stream_id}/stop", admin_streams.stop, ADMIN, WRITE,
          takes=admin_streams.Reason, gives={204: None},
          audit=Audit("stream.stop", "stream_id")),
    Route("GET", "/api/admin/users", admin_users.listed, ADMIN, READ,
          query=admin_users.UserSearch, gives={200: admin_users.UserPage}),
    Route("POST", f"{USER}/suspend", admin_users.suspend, ADMIN, WRITE,
          takes=admin_streams.Reason, gives={200: UserShape},
          audit=Audit("user.suspend", "user_id")),
    Route("POST", f"{USER}/reinstate", admin_users.reinstate, ADMIN, WRITE,
          gives={200: UserShape}, audit=Audit("user.reinstate", "user_id")),
    Route("PUT", f"{USER}/roles", admin_users.set_roles, ADMIN, WRITE,
          takes=admin_users.NewRoles, gives={200: UserShape},
          audit=Audit("user.set_roles", "user_id")),
    Route("POST", f"{USER}/grants", admin_users.grant, ADMIN, WRITE,
          takes=admin_users.Grant,
          gives={201: admin_users.GrantReceiptShape, 200: admin_users.GrantReceiptShape},
          audit=Audit("user.grant_coins", "user_id")),
    Route("GET", f"{USER}/holds", holds.listed, ADMIN, READ, gives={200: holds.HoldList}),
    Route("POST", f"{USER}/holds", holds.place, ADMIN, WRITE,
          takes=holds.NewHold, gives={201: holds.HoldShape},
          audit=Audit("user.place_hold", "user_id")),
    Route("POST", "/api/admin/holds/{hold_id}/release", holds.release, ADMIN, WRITE,
          takes=holds.Release, gives={200: holds.HoldShape},
          audit=Audit("hold.release", "hold_id")),
    Route("GET", f"{USER}/statement", ledger.statement, ADMIN, READ,
          query=wallet.StatementPaging, gives={200: wallet.StatementShape}),
    Route("GET", f"{USER}/statement.csv", ledger.statement_csv, ADMIN, READ,
          query=wallet.StatementPeriod, gives={200: CSV}),
    Route("GET", f"{USER}/statement.html", ledger.statement_html, ADMIN, READ,
          query=wallet.StatementPeriod, gives={200: PAGE}),
    Route("GET", f"{USER}/balance", ledger.balance, ADMIN, READ,
          query=wallet.BalanceMoment, gives={200: wallet.BalanceShape}),
    Route("GET", "/api/admin/ledger/balance", ledger.house_balance, ADMIN, READ,
          query=ledger.HouseMoment, gives={200: wallet.BalanceShape}),
    Route("GET", "/api/admin/ledger/trial-balance", ledger.trial_balance, ADMIN, READ,
          gives={200: ledger.TrialBalanceShape}),
    Route("GET", CHECKPOINTS, checkpoints.listed, ADMIN, READ,
          query=checkpoints.CheckpointPaging, gives={200: checkpoints.CheckpointList}),
    Route("GET", f"{CHECKPOINTS}/{{position}}", checkpoints.exported, ADMIN, READ,
          gives={200: checkpoints.CheckpointExport}),
    Route("GET", "/api/admin/aml/alerts", alerts.listed, ADMIN, READ,
          query=alerts.AlertFilter, gives={200: alerts.AlertPage}),
    Route("GET", ALERT, alerts.shown, ADMIN, READ, gives={200: alerts.AlertShape}),
    Route("POST", f"{ALERT}/assign", alerts.assign, ADMIN, WRITE,
          takes=alerts.Assignment, gives={200: alerts.AlertShape},
          audit=Audit("alert.assign", "alert_id")),
    Route("POST", f"{ALERT}/resolve", alerts.resolve, ADMIN, WRITE,
          takes=alerts.Resolution, gives={200: alerts.AlertShape},
          audit=Audit("alert.resolve", "alert_id")),
    Route("GET", "/api/admin/events", events.listed, ADMIN, READ,
          gives={200: events.ConsumerList}),
    Route("POST", f"{CONSUMER}/replays", events.replay, ADMIN, WRITE,
          takes=events.ReplayRequest, gives={201: events.ReplayShape},
          audit=Audit("events.replay", "consumer", is_uuid=False)),
    Route("GET", f"{CONSUMER}/dead-letters", events.dead_letters, ADMIN, READ,
          query=Paging, gives={200: events.DeadLetterPage}),
    Route("POST", f"{LETTER}/retry", events.send_back, ADMIN, WRITE,
          gives={204: None}, audit=Audit("events.retry", "letter_id", is_uuid=False)),
    Route("DELETE", LETTER, events.discard, ADMIN, WRITE,
          gives={204: None}, audit=Audit("events.discard", "letter_id", is_uuid=False)),
    Route("GET", "/api/admin/audit", audit.listed, ADMIN, READ,
          query=Paging, gives={200: audit.AuditPage}),
)

SERVICE: Final = (
    Route("GET", "/healthz", service.health, ANYONE, PROBE, gives={200: service.Health}),
    Route("GET", "/readyz", service.ready, ANYONE, PROBE,
          gives={200: service.ReadyReport, 503: service.ReadyReport}),
    Route("GET", "/metrics", service.metrics, OPERATOR, PROBE, gives={200: FIGURES}),
    Route("GET", "/api/openapi.json", service.openapi, ANYONE, READ,
          gives={200: service.OpenApiDocument}),
    Route("GET", "/api/config", service.page_config, ANYONE, READ,
          gives={200: service.PageConfig}),
)

PAGES: Final = (
    Route("GET", "/", pages.index, ANYONE, READ, gives={200: PAGE}),
    Route("GET", "/watch/{stream_id}", pages.index, ANYONE, READ, gives={200: PAGE}),
    Route("GET", "/studio", pages.index, ANYONE, READ, gives={200: PAGE}),
    Route("GET", "/admin", pages.index, ANYONE, READ, gives={200: PAGE}),
    Route("GET", "/assets/{file}", pages.asset, ANYONE, READ, gives={200: FILE}),
    Route("GET", r"/{file:[\w-]+\.[a-z0-9]+}", pages.file, ANYONE, READ, gives={200: FILE}),
)
# fmt: on

API: Final = (
    *AUTH,
    *STREAMS,
    *SESSIONS,
    *WALLET,
    *PAYOUTS,
    *ADMINISTRATION,
    *PAYOUT_DESK,
    *RECONCILIATION,
    *SERVICE,
)
"""What programs call, and `/api/openapi.json` describes."""

ROUTES: Final = (*API, *PAGES)
