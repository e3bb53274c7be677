from media.pool.recent import Recent


def test_only_the_window_counts() -> None:
    recent = Recent(5.0)
    assert recent.count(100.0) == 0
    for at in (100.0, 101.0, 104.0):
        recent.add(at)
    assert recent.count(104.9) == 3
    assert recent.count(105.0) == 2
    assert recent.count(109.0) == 0
