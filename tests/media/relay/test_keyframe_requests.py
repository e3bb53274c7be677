"""The throttle towards the publisher."""

from media.relay.keyframe_requests import KeyframeRequests


def test_the_first_wish_goes_at_once_and_once():
    requests = KeyframeRequests(interval_s=1.0)
    assert not requests.due(0.0, waiting=False)
    requests.want()
    requests.want()
    assert requests.due(0.0, waiting=False)
    assert not requests.due(5.0, waiting=False)
    assert requests.made == 1


def test_a_wish_too_early_is_kept_not_lost():
    requests = KeyframeRequests(interval_s=1.0)
    requests.want()
    assert requests.due(0.0, waiting=False)
    requests.want()
    assert [requests.due(at, waiting=False) for at in (0.1, 0.99, 1.0, 1.1)] == [
        False,
        False,
        True,
        False,
    ]


def test_a_keyframe_answers_those_who_asked_before():
    requests = KeyframeRequests(interval_s=1.0)
    requests.want()
    requests.due(0.0, waiting=False)
    requests.want()
    requests.keyframe_came()
    assert not requests.due(1.0, waiting=False)


def test_who_waits_is_asked_for_again_and_again():
    requests = KeyframeRequests(interval_s=1.0)
    asked = [at / 10 for at in range(35) if requests.due(at / 10, waiting=True)]
    assert asked == [0.0, 1.0, 2.0, 3.0]
