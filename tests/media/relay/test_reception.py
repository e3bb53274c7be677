"""Report blocks against RFC 3550 §6.4.1 and the computations of its appendix A."""

import pytest

from media.relay.reception import Reception


def receive(reception, sequences, *, start=0.0, spacing=0.02, clock_rate=48_000):
    for number, sequence in enumerate(sequences):
        now = start + number * spacing
        reception.received(sequence, round(now * clock_rate) & 0xFFFFFFFF, now)


def test_an_even_stream():
    reception = Reception(first=100, clock_rate=48_000)
    receive(reception, range(100, 150))
    block = reception.report(7, now=1.0)
    assert (block.ssrc, block.fraction_lost, block.lost) == (7, 0, 0)
    assert (block.highest_sequence, block.jitter) == (149, 0)
    assert (block.last_sr, block.delay) == (0, 0)


def test_losses_since_the_last_report_and_altogether():
    reception = Reception(first=0, clock_rate=48_000)
    receive(reception, [n for n in range(100) if n % 4])
    first = reception.report(7, now=2.0)
    assert (first.fraction_lost, first.lost) == (25 * 256 // 100, 25)
    receive(reception, range(100, 200), start=2.0)
    second = reception.report(7, now=4.0)
    assert (second.fraction_lost, second.lost) == (0, 25)


def test_late_packets_are_no_losses():
    reception = Reception(first=0, clock_rate=48_000)
    receive(reception, [0, 2, 1, 3])
    assert reception.report(7, now=1.0).lost == 0


def test_repetitions_hide_losses_as_the_rfc_has_it():
    reception = Reception(first=0, clock_rate=48_000)
    receive(reception, [0, 0, 0, 1])
    block = reception.report(7, now=1.0)
    assert (block.fraction_lost, block.lost) == (0, -2)


def test_all_lost_is_255():
    reception = Reception(first=0, clock_rate=48_000)
    receive(reception, [0])
    reception.report(7, now=1.0)
    receive(reception, [1_000_000])
    assert reception.report(7, now=2.0).fraction_lost == 255


def test_no_time_no_losses():
    reception = Reception(first=0, clock_rate=48_000)
    receive(reception, [0])
    reception.report(7, now=1.0)
    assert reception.report(7, now=2.0).fraction_lost == 0


def test_jitter_settles_at_the_deviation():
    reception = Reception(first=0, clock_rate=90_000)
    for number in range(1_000):
        arrival = number * 0.1 + (0.01 if number % 2 else 0.0)
        reception.received(number, number * 9_000, arrival)
    assert reception.report(7, now=100.0).jitter == pytest.approx(900, abs=1)


def test_jitter_knows_that_timestamps_wrap():
    reception = Reception(first=0, clock_rate=90_000)
    for number in range(10):
        reception.received(number, (2**32 - 27_000 + number * 9_000) & 0xFFFFFFFF, number * 0.1)
    assert reception.report(7, now=1.0).jitter == 0


def test_the_senders_clock_is_echoed_with_the_time_since():
    reception = Reception(first=0, clock_rate=90_000)
    receive(reception, [0])
    reception.on_sender_report(0x1122334455667788, now=10.0)
    block = reception.report(7, now=10.5)
    assert (block.last_sr, block.delay) == (0x33445566, 32_768)


def test_the_extended_sequence_counts_the_wraps():
    reception = Reception(first=65_535, clock_rate=90_000)
    receive(reception, [65_535, 65_536, 65_537])
    assert reception.report(7, now=1.0).highest_sequence == 0x10001
