"""Writes the diagrams of the state machines, from their tables, into docs/ARCHITECTURE.md."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from compliance.aml import alerts
from ledger.payouts import states as payout_states
from ledger.purchases import states as purchase_states
from ledger.reconcile import worklist
from ledger.sagas import steps
from media import live, session
from media.pool import streams

PAGE = Path(__file__).parent / "ARCHITECTURE.md"
BEGIN, END = "<!-- states: begin -->\n", "<!-- states: end -->"

MACHINES: dict[str, Mapping[Any, Mapping[Any, Any]]] = {
    "WHIP or WHEP session (`media/session.py`)": session.TRANSITIONS,
    "Stream (`media/live.py`)": live.TRANSITIONS,
    "Stream as the pool of workers sees it (`media/pool/streams.py`)": streams.TRANSITIONS,
    "Payout (`ledger/payouts/states.py`)": payout_states.TRANSITIONS,
    "Purchase of coins (`ledger/purchases/states.py`)": purchase_states.TRANSITIONS,
    "Step of a saga (`ledger/sagas/steps.py`)": steps.TRANSITIONS,
    "Difference of a reconciliation (`ledger/reconcile/worklist.py`)": worklist.TRANSITIONS,
    "AML alert (`compliance/aml/alerts.py`)": alerts.TRANSITIONS,
}


def diagram(transitions: Mapping[StrEnum, Mapping[StrEnum, StrEnum]]) -> str:
    """A Mermaid state diagram; the first state of the table is where it begins."""
    first, *_ = transitions
    lines = [f"    [*] --> {first}"]
    for state, moves in transitions.items():
        lines += [f"    {state} --> {target}: {event}" for event, target in moves.items()]
        if not moves:
            lines.append(f"    {state} --> [*]")
    return "\n".join(("```mermaid", "stateDiagram-v2", *lines, "```"))


def render(page: str) -> str:
    """The page with the diagrams of now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [f"**{title}**\n\n{diagram(table)}\n" for title, table in MACHINES.items()]
    return before + BEGIN + "\n" + "\n".join(parts) + "\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text("utf-8")), "utf-8")
