"""What to say of a loss that is no longer a number. Needs no torch."""

from __future__ import annotations

import math
from decimal import Decimal


def divergence(loss: float, where: str, chosen: float, planned: float, scale: float) -> str:
    """A sentence on what happened and what to try; "" while the loss is a number.

    `chosen`: the recipe's learning rate; `planned`: what its schedule made of it in the last step; `scale`: the factor
    by which a person had changed that.
    """
    if math.isfinite(loss):
        return ""
    what, by_hand, used = "NaN (not a number)" if math.isnan(loss) else "infinite", scale != 1, planned * scale
    change = f" (you had changed it from {_written(planned)})" if by_hand else ""
    less = used / 10 if by_hand else chosen / 10
    return (
        f"The loss became {what} at {where}: the steps were too large. The learning rate was {_written(used)}{change}; "
        f"try {_written(less)}, or add batch norm."
    )


def _written(rate: float) -> str:
    return format(Decimal(f"{rate:.3g}"), "f")
