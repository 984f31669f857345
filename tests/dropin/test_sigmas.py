"""A wrong number of sigmas is named, however many people there are."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.dropin import hrnet, mmpose


@pytest.mark.parametrize("people", [2, 40])
@pytest.mark.parametrize(("joints", "sigmas"), [(14, None), (17, np.full(14, 0.05))])
def test_a_wrong_number_of_sigmas_is_named(people: int, joints: int, sigmas: np.ndarray | None) -> None:
    rng = np.random.default_rng(0)
    found = [{"keypoints": rng.random((joints, 3)), "score": 0.5, "area": 9.0} for _ in range(people)]
    for suppress in (hrnet.oks_nms, hrnet.soft_oks_nms, mmpose.oks_nms):
        with pytest.raises(ValueError, match=f"sigmas must be one for each of {joints} joints, .* cannot be broadcast"):
            suppress(found, 0.5, sigmas)
