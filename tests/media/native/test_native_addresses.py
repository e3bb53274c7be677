"""The table from addresses to peers is a dict: whatever is put, taken away and looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.native import require_native

require_native()
from media import _native as native  # noqa: E402

SEED = bytes(range(16))
addresses = st.one_of(
    st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535)),
    st.tuples(st.ip_addresses(v=6).map(str), st.integers(0, 65535)),
    st.tuples(st.just("10.0.0.1"), st.integers(1, 40)),
    st.tuples(st.just("::ffff:10.0.0.1"), st.integers(1, 40)),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "remove"]),
        addresses,
        st.integers(1, 3),
        st.sampled_from([0, 0, 1, 0xFFFF_FFFF]),
    ),
    max_size=60,
)


@given(steps, st.binary(min_size=16, max_size=16))
def test_it_holds_what_a_dict_holds(steps, seed):
    table, model = native.Addresses(seed, 1_000), {}
    for step, address, owner, ssrc in steps:
        if step == "put":
            assert table.put(address, owner, ssrc)
            model[address, ssrc] = owner
        else:
            table.remove(address, owner, ssrc)
            if model.get((address, ssrc)) == owner:
                del model[address, ssrc]
    assert len(table) == len(model)
    for _, address, _, ssrc in steps:
        assert table.get(address, ssrc) == model.get((address, ssrc))
        assert table.get(address) == model.get((address, 0))


def test_it_grows_and_every_address_is_found_after_many_left():
    table = native.Addresses(SEED, 10_000)
    everybody = [(f"10.0.{n >> 8}.{n & 255}", 1_000 + n) for n in range(5_000)]
    for n, address in enumerate(everybody):
        assert table.put(address, n + 1)
    for n, address in enumerate(everybody[::2]):
        table.remove(address, 2 * n + 1)
    assert len(table) == 2_500
    for n, address in enumerate(everybody):
        assert table.get(address) == (n + 1 if n % 2 else None)


def test_it_is_bounded():
    table = native.Addresses(SEED, 2)
    assert table.put(("10.0.0.1", 1), 1)
    assert table.put(("10.0.0.1", 2), 1)
    assert not table.put(("10.0.0.1", 3), 1)
    assert table.put(("10.0.0.1", 2), 2)  # whoever proves to be there has it
    table.remove(("10.0.0.1", 1), 1)
    assert table.put(("10.0.0.1", 3), 1)


def test_one_address_in_two_families_is_two():
    table = native.Addresses(SEED, 10)
    table.put(("10.0.0.1", 1), 1)
    assert table.get(("::ffff:10.0.0.1", 1)) is None


@pytest.mark.parametrize("address", [("localhost", 1), ("10.0.0.1", 65_536), ("", 1)])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError):
        native.Addresses(SEED, 10).get(address)


@pytest.mark.parametrize("seed", [b"", bytes(15), bytes(17)])
def test_a_seed_has_its_size(seed):
    with pytest.raises(ValueError, match="16 bytes"):
        native.Addresses(seed, 10)
