import pytest

from myopia.superposition.statistics import wilson


def test_wilson_interval():
    assert wilson(35, 40) == pytest.approx((0.7389, 0.9454), abs=1e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1
    assert wilson(0, 0) == (0, 1)
    with pytest.raises(ValueError, match="are 3 of 2"):
        wilson(3, 2)
