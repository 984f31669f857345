"""Average precision of a ranked list."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.evaluation._precision import average_precision


@pytest.mark.parametrize("official", [True, False])
def test_area_under_the_monotone_envelope(official: bool) -> None:
    scores, correct = np.array([0.2, 0.9, 0.5, 0.4]), np.array([True, True, False, True])
    # Ranked: right, wrong, right, right; precision 1, 1/2, 2/3, 3/4, whose envelope is 1, 3/4, 3/4, 3/4.
    area, precision, recall = average_precision(scores, correct, 5, official=official)
    assert (area, precision, recall) == pytest.approx((100 * (0.2 + 0.2 * 0.75 * 2), 75, 60))


def test_equal_scores_keep_their_order_in_the_clean_definition() -> None:
    scores, half = np.ones(40), np.arange(40) < 20
    assert average_precision(scores, half, 20, official=False)[0] == 100
    assert average_precision(scores, ~half, 20, official=False)[0] == pytest.approx(50)


@pytest.mark.parametrize(
    ("found", "positives", "official", "expected"),
    [
        (0, 3, True, (0, 0, 0)),
        (0, 3, False, (0, np.nan, 0)),
        (0, 0, True, (0, 0, 0)),
        (0, 0, False, (np.nan, np.nan, np.nan)),
        (2, 0, True, (np.nan, 0, np.nan)),
        (2, 0, False, (np.nan, np.nan, np.nan)),
    ],
)
def test_shares_of_nothing(found: int, positives: int, official: bool, expected: tuple[float, ...]) -> None:
    figures = average_precision(np.ones(found), np.zeros(found, bool), positives, official=official)
    np.testing.assert_array_equal(figures, expected)
