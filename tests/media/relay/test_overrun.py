from media.relay.overrun import Overrun


def test_it_lasts_as_long_as_every_look_finds_more() -> None:
    overrun = Overrun()
    looks = ((0, 0.0), (5, 1.0), (6, 1.5), (9, 2.0), (9, 2.5), (10, 3.0), (11, 3.5))
    assert [overrun.lasts(dropped, now) for dropped, now in looks] == [
        0.0,
        0.0,
        0.5,
        1.0,
        0.0,
        0.0,
        0.5,
    ]
