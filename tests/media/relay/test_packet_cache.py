"""The ring: what is in it, what has left it, what was never let in."""

from hypothesis import given
from hypothesis import strategies as st

from media.relay.packet_cache import PacketCache
from media.relay.tracks import RelayPacket


def packet(sequence, size=10):
    return RelayPacket("video", sequence, 0, False, False, bytes(size))


def held(cache, sequences):
    return [n for n in sequences if cache.get(n) is not None]


def test_the_oldest_give_way_to_the_newest():
    cache = PacketCache(4, 1000, max_age_s=1.5)
    assert all(cache.add(packet(n), 0.0) for n in range(6))
    assert held(cache, range(10)) == [2, 3, 4, 5]


def test_bytes_are_bounded_too():
    cache = PacketCache(100, 25, max_age_s=1.5)
    for n in range(5):
        cache.add(packet(n), 0.0)
    assert held(cache, range(5)) == [3, 4]
    assert cache.size_bytes == 20


def test_a_packet_that_fits_nowhere_is_not_kept():
    cache = PacketCache(4, 25, max_age_s=1.5)
    assert cache.add(packet(0, size=26), 0.0)
    assert cache.get(0) is None
    assert cache.size_bytes == 0


def test_a_number_is_taken_once():
    cache = PacketCache(4, 1000, max_age_s=1.5)
    assert cache.add(packet(5), 0.0)
    assert not cache.add(packet(5, size=11), 0.0)
    assert cache.size_bytes == 10


def test_late_packets_find_their_place_unless_it_is_gone():
    cache = PacketCache(4, 1000, max_age_s=1.5)
    cache.add(packet(5), 0.0)
    assert cache.add(packet(3), 0.0)
    assert not cache.add(packet(1), 0.0)
    assert held(cache, range(6)) == [3, 5]


def test_a_jump_leaves_nothing_old():
    cache = PacketCache(4, 1000, max_age_s=1.5)
    for n in (0, 1, 2, 3, 10_000):
        cache.add(packet(n), 0.0)
    assert held(cache, [*range(4), *range(9_996, 10_001)]) == [10_000]
    assert cache.size_bytes == 10


def test_what_is_too_old_is_not_held_but_its_number_stays_taken():
    cache = PacketCache(8, 1000, max_age_s=1.5)
    for sequence, now in ((0, 0.0), (2, 1.0), (1, 1.4), (3, 2.5)):
        assert cache.add(packet(sequence), now)
    assert held(cache, range(4)) == [1, 2, 3]  # number 1 came late, so it may stay longer
    assert not cache.add(packet(0), 2.5)
    assert cache.size_bytes == 40


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=80))
def test_it_holds_what_it_took_within_its_bounds(arrivals):
    cache, taken = PacketCache(8, 100, max_age_s=1.5), {}
    for sequence, size in arrivals:
        if cache.add(packet(sequence, size), 0.0):
            assert sequence not in taken
            taken[sequence] = packet(sequence, size)
    kept = held(cache, range(61))
    assert len(kept) <= 8
    assert cache.size_bytes == sum(len(cache.get(n).payload) for n in kept) <= 100
    assert all(cache.get(n) == taken[n] for n in kept)
    assert kept == [n for n in sorted(taken) if kept and n >= kept[0]]
