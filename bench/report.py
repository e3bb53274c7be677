"""What every bench ends with: a table for people and `bench/out/NAME.json` for comparing.

The file is a list of `{"figure", "value", "unit", "peer", "peer_value", "ratio", "runs"}`. `ratio`
says how many times better than the peer we are, whether less or more of the unit is better; it and
`peer_value` are null where there is no peer, or where it is not installed.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

OUT = Path(__file__).parent / "out"

Better = Literal["less", "more"]


@dataclass(frozen=True)
class Figure:
    """One measured figure: the median of `runs` runs, beside the same of a peer.

    `peer` names what was compared with; with a `peer_value` of None it was not there to take part.
    """

    figure: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    runs: int = 1
    better: Better = "less"

    @classmethod
    def of_runs(
        cls,
        figure: str,
        values: Sequence[float],
        unit: str,
        *,
        peer: str | None = None,
        peer_values: Sequence[float] = (),
        better: Better = "less",
    ) -> Self:
        """The medians of runs; no `peer_values` where the peer is not installed."""
        return cls(
            figure=figure,
            value=statistics.median(values),
            unit=unit,
            peer=peer,
            peer_value=statistics.median(peer_values) if peer_values else None,
            runs=len(values),
            better=better,
        )

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer."""
        if not self.peer_value or not self.value:
            return None
        times = self.peer_value / self.value
        return times if self.better == "less" else 1 / times

    def as_json(self) -> dict[str, str | float | int | None]:
        """The figure as it is kept."""
        return {
            "figure": self.figure,
            "value": _significant(self.value),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": None if self.peer_value is None else _significant(self.peer_value),
            "ratio": None if self.ratio is None else _significant(self.ratio),
            "runs": self.runs,
        }

    def as_row(self) -> tuple[str, ...]:
        """The figure as a line of the table."""
        peer_value, ratio = "", ""
        if self.peer is not None:
            peer_value = "not installed" if self.peer_value is None else _shown(self.peer_value)
        if self.ratio is not None:
            ratio = f"{_shown(self.ratio)} ×"
        value = _shown(self.value)
        return self.figure, value, self.unit, self.peer or "", peer_value, ratio, str(self.runs)


def report(name: str, figures: Sequence[Figure], *, out: Path = OUT) -> Path:
    """Print the figures of the bench `name` and keep them; the path of the file."""
    print(table(figures))
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.json"
    kept = json.dumps([figure.as_json() for figure in figures], indent=1, ensure_ascii=False)
    path.write_text(kept + "\n", encoding="utf-8")
    return path


def table(figures: Sequence[Figure]) -> str:
    """The figures in aligned columns."""
    head = ("figure", "value", "unit", "peer", "of the peer", "better by", "runs")
    rows = [head, *(figure.as_row() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_number = (False, True, False, False, True, True, True)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in rows
    )


def _significant(value: float) -> float:
    return float(f"{value:.4g}")


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
