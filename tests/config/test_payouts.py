"""Settings of sagas and payouts."""

import pytest
from pydantic import ValidationError

from config.payouts import SagaSettings


def test_a_lease_outlives_a_step():
    assert SagaSettings().lease_s > SagaSettings().step_timeout_s
    with pytest.raises(ValidationError, match="lease_s"):
        SagaSettings(lease_s=30, step_timeout_s=30)
