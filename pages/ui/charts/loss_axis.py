"""Where a chart of losses ends at the top, so that a loss that explodes does not press every other curve flat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pages.ui.charts.curves import Points

EXPLODED = 10.0  # nats; guessing among a thousand classes costs 6.9
HEADROOM = 1.25


def highest_shown(curves: Sequence[Points]) -> float | None:
    """The top of the axis in nats for one list of points a run; None where no loss exploded, and all is shown.

    A little above the largest loss of the runs that did not explode, and above 95% of the ordinary losses of those that
    did; where every loss exploded, of the run whose median is lowest twice that median. Of a single run the end shows.
    """
    runs = [losses for points in curves if len(losses := _finite(points))]
    if not any(losses.max() > EXPLODED for losses in runs):
        return None
    tops = [top for losses in runs if (top := _ordinary(losses)) is not None]
    top = max(tops) * HEADROOM if tops else 2 * min(float(np.median(losses)) for losses in runs)
    if len(runs) == 1:
        top = max(top, HEADROOM * float(runs[0][-1]))
    return float(f"{top:.2g}")


def _ordinary(losses: NDArray[np.float64]) -> float | None:
    if losses.max() <= EXPLODED:
        return float(losses.max())
    low = losses[losses <= EXPLODED]
    return float(np.quantile(low, 0.95)) if len(low) else None


def _finite(points: Points) -> NDArray[np.float64]:
    losses = np.array([point[1] for point in points], np.float64)
    return losses[np.isfinite(losses)]
