"""From gifts to detections: which, with what evidence, and whatever the order of arrival."""

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.aml.detection import Detection, detect
from compliance.aml.features import GiftActivity
from compliance.aml.graph import Edge, GiftGraph, hour_of
from compliance.aml.score import AlertType, combined_score
from config.aml import AmlSettings
from tests.support.gifts import account, gift

LIMITS = AmlSettings(
    velocity_max_gifts=3, structuring_min_payments=2, alert_max_event_ids=5, history_per_payer=50
)
NEAR = 90_000


def graph(*gifts: GiftActivity) -> GiftGraph:
    return GiftGraph(
        [
            Edge(each.payer_id, each.payee_id, hour_of(each.occurred_at), each.amount_minor)
            for each in gifts
        ],
        window_hours=24,
        max_length=4,
        min_amount_minor=5_000,
        min_percent=30,
    )


def found(
    unseen: list[GiftActivity], history: list[GiftActivity] | None = None
) -> dict[AlertType, Detection]:
    detections = detect(unseen, history or [], graph(*unseen, *(history or [])), LIMITS)
    return {detection.alert_type: detection for detection in detections}


def test_nothing_usual_is_detected() -> None:
    assert found([gift(at) for at in (0, 1, 2)]) == {}


def test_gifts_of_before_make_a_burst_with_new_ones() -> None:
    history = [gift(at) for at in (0, 1, 2)]
    last = gift(3)
    detection = found([last], history)[AlertType.GIFT_VELOCITY]
    assert detection.user_id == account(1)
    assert detection.transaction_id == last.transaction_id
    assert detection.event_ids == (*(each.event_id for each in history), last.event_id)
    assert detection.reasons[0].figures["gifts"] == 4


def test_a_burst_that_is_over_is_not_detected_again() -> None:
    history = [gift(at) for at in (0, 1, 2, 3)]
    assert found([gift(70)], history) == {}


def test_a_late_gift_completes_the_burst_of_later_ones() -> None:
    history = [gift(at) for at in (10, 11, 12)]
    detection = found([gift(5)], history)[AlertType.GIFT_VELOCITY]
    assert detection.transaction_id == history[-1].transaction_id
    assert detection.reasons[0].figures["gifts"] == 4


def test_evidence_is_bounded_to_the_latest() -> None:
    gifts = [gift(at) for at in range(9)]
    detection = found(gifts)[AlertType.GIFT_VELOCITY]
    assert detection.event_ids == tuple(each.event_id for each in gifts[-5:])


def test_structuring_rests_on_the_payments_near_the_threshold() -> None:
    payments = [gift(0, amount=NEAR), gift(7_200, amount=NEAR)]
    others = [gift(3_600), gift(7_100)]
    detections = found([*payments, *others])
    assert set(detections) == {AlertType.STRUCTURING}
    assert detections[AlertType.STRUCTURING].event_ids == tuple(each.event_id for each in payments)


def test_what_stands_is_a_reason_beside_but_raises_nothing_itself() -> None:
    history = [gift(0, amount=NEAR), gift(60, amount=NEAR)]
    burst = [gift(7_200 + at) for at in range(4)]
    detections = found(burst, history)
    assert set(detections) == {AlertType.GIFT_VELOCITY}
    reasons = detections[AlertType.GIFT_VELOCITY].reasons
    assert [reason.rule for reason in reasons] == [AlertType.GIFT_VELOCITY, AlertType.STRUCTURING]
    assert combined_score(reasons) > max(reason.score for reason in reasons)


def test_the_gift_that_closes_a_circle_is_detected() -> None:
    back = gift(0, payer=2, payee=1, amount=6_000)
    there = gift(60, payer=1, payee=2, amount=6_000)
    detections = detect([there], [], graph(back, there), LIMITS)
    assert [each.alert_type for each in detections] == [AlertType.CIRCULAR_GIFTING]
    assert detections[0].event_ids == (there.event_id,)


def test_what_does_not_reach_the_score_of_an_alert_is_not_detected() -> None:
    burst = [gift(at) for at in range(4)]
    stricter = LIMITS.model_copy(update={"alert_score": 60})
    assert found(burst)[AlertType.GIFT_VELOCITY].reasons[0].score == 58
    assert detect(burst, [], graph(*burst), stricter) == []


def test_findings_below_the_score_reach_it_together() -> None:
    stricter = LIMITS.model_copy(update={"alert_score": 80})
    standing = [gift(0, amount=NEAR), gift(60, amount=NEAR)]
    burst = [gift(7_200 + at) for at in range(4)]
    [detection] = detect(burst, standing, graph(*standing, *burst), stricter)
    assert detection.alert_type == AlertType.GIFT_VELOCITY
    assert combined_score(detection.reasons) == 83


GIFTS = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from([10, NEAR])), min_size=1, max_size=14
)


@settings(max_examples=60)
@given(GIFTS, st.randoms(use_true_random=False), st.integers(1, 14))
def test_batches_and_order_do_not_change_what_is_found(
    values: list[tuple[int, int]], random, size: int
) -> None:
    gifts = [
        gift(at, amount=amount, number=number) for number, (at, amount) in enumerate(values, 1)
    ]
    at_once = {rule: each.reasons[0].score for rule, each in found(gifts).items()}
    arrived = gifts.copy()
    random.shuffle(arrived)
    batches = [arrived[start : start + size] for start in range(0, len(arrived), size)]
    worst: dict[AlertType, int] = {}
    for number, batch in enumerate(batches):
        history = [each for before in batches[:number] for each in before]
        for rule, detection in found(batch, history).items():
            worst[rule] = max(worst.get(rule, 0), detection.reasons[0].score)
    assert worst == at_once
