"""What benches leave behind."""

import json

import pytest

from bench.report import Figure, report, table

CHEAPER = Figure.of_runs(
    "CPU a packet", [2.0, 4.0, 3.0], "µs", peer="aiortc", peer_values=[15.0, 16.0, 14.0]
)
FASTER = Figure("gifts", 12_000, "1/s", peer="pgbench", peer_value=3_000, better="more")
ALONE = Figure("memory", 14.0, "KiB")
MISSING = Figure.of_runs("CPU a packet", [2.0], "µs", peer="Janus")


def test_the_file_compares_over_time(tmp_path):
    path = report("name", [CHEAPER, FASTER, ALONE, MISSING], out=tmp_path / "out")
    assert path.name == "name.json"
    first, second, third, fourth = json.loads(path.read_text())
    assert first == {
        "figure": "CPU a packet",
        "value": 3.0,
        "unit": "µs",
        "peer": "aiortc",
        "peer_value": 15.0,
        "ratio": 5.0,
        "runs": 3,
    }
    assert second["ratio"] == 4.0
    assert (third["peer"], third["peer_value"], third["ratio"]) == (None, None, None)
    assert (fourth["peer"], fourth["peer_value"], fourth["ratio"]) == ("Janus", None, None)


def test_missing_peers_are_named_in_the_table():
    assert "Janus  not installed" in table([MISSING])


def test_columns_line_up():
    lines = table([CHEAPER, FASTER, ALONE]).splitlines()
    assert lines[2].split() == ["gifts", "12,000", "1/s", "pgbench", "3,000", "4", "×", "1"]
    assert len({line.index("peer") for line in lines[:1]} | {lines[1].index("aiortc")}) == 1


@pytest.mark.parametrize(("value", "peer_value"), [(0.0, 1.0), (1.0, 0.0), (1.0, None)])
def test_no_ratio_without_both(value, peer_value):
    assert Figure("f", value, "u", peer="p", peer_value=peer_value).ratio is None
