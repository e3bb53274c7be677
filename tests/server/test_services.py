import dataclasses

import pytest

from server.services import Services


def test_the_doors_can_t_be_exchanged_and_all_must_be_there() -> None:
    assert Services.__dataclass_params__.frozen  # type: ignore[attr-defined]
    fields = dataclasses.fields(Services)
    assert all(item.default is dataclasses.MISSING for item in fields)
    with pytest.raises(TypeError):
        Services()  # type: ignore[call-arg]
