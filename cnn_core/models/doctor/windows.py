"""Windows that do not fit their maps, and numbers of groups that do not divide them."""

from __future__ import annotations

from math import gcd, prod

from cnn_core.models.doctor.problem import REMOVE, Case, Fix, Problem
from cnn_core.models.doctor.traits import POOLS, SLIDING
from cnn_core.models.layer import describe

MOST_PADDING = 15  # that a convolution may be given


def pool_padding(case: Case) -> Problem | None:
    """torch pads a pool by at most half its window."""
    kernel, padding = case.option("kernel"), case.option("padding")
    if case.layer.kind not in POOLS or 2 * padding <= kernel:
        return None
    return Problem(
        "pool_padding",
        f"{padding} of padding is more than half of its {kernel}×{kernel} window: a window could lie outside the maps "
        f"altogether. It takes at most {kernel // 2}.",
        (Fix(f"Set padding to {kernel // 2}", {"padding": kernel // 2}), REMOVE),
    )


def pool_below_one(case: Case) -> Problem | None:
    if case.layer.kind not in POOLS:
        return None
    kernel, side = case.option("kernel"), min(case.shape[1:])
    if kernel <= side + 2 * case.option("padding"):
        return None
    smaller = Fix(f"Set kernel to {side}", {"kernel": side, "padding": 0})
    return Problem(
        "pool_below_one",
        f"{describe(case.shape)} come in, too small for its {kernel}×{kernel} window: it would shrink them below one "
        "pixel.",
        (REMOVE, smaller) if side > 1 else (REMOVE,),
    )


def kernel_too_large(case: Case) -> Problem | None:
    if case.layer.kind not in SLIDING:
        return None
    kernel, padding, dilation = case.option("kernel"), case.option("padding"), case.option("dilation", 1)
    side, span = min(case.shape[1:]), dilation * (kernel - 1) + 1
    if span <= side + 2 * padding:
        return None
    spread = f" of dilation {dilation}, {span} wide," if dilation > 1 else ""
    padded = f", {side + 2 * padding} wide with {padding} of padding on each side" if padding else ""
    return Problem(
        "kernel_too_large",
        f"{describe(case.shape)} come in{padded}: its {kernel}×{kernel} kernel{spread} does not fit.",
        (*_padded(case, span // 2), _smaller(side + 2 * padding, dilation), REMOVE),
    )


def _padded(case: Case, padding: int) -> tuple[Fix, ...]:
    """With half the window on each side it fits maps of any size."""
    if padding > MOST_PADDING:
        return ()
    if padding > most_border(case):
        zeros = {"padding": padding, "padding_mode": "zeros"}
        return (Fix(f"Set padding to {padding} and padding mode to zeros", zeros),)
    return (Fix(f"Set padding to {padding}", {"padding": padding}),)


def _smaller(side: int, dilation: int) -> Fix:
    kernel = (side - 1) // dilation + 1
    kernel -= kernel > 1 and kernel % 2 == 0  # odd ones have a middle
    return Fix(f"Set kernel to {kernel}", {"kernel": kernel})


def most_border(case: Case) -> int:
    """As far as maps can be mirrored or continued on the opposite side."""
    mode, side = getattr(case.layer, "padding_mode", "zeros"), min(case.shape[1:])
    return {"reflect": side - 1, "circular": side}.get(mode, MOST_PADDING)


def border_too_wide(case: Case) -> Problem | None:
    if case.layer.kind != "conv":
        return None
    padding, most = case.option("padding"), most_border(case)
    if padding <= most:
        return None
    mode = getattr(case.layer, "padding_mode", "zeros")
    what = "mirrored" if mode == "reflect" else "continued on the opposite side"
    fixes = [Fix("Set padding mode to zeros", {"padding_mode": "zeros"})]
    if case.option("dilation", 1) * (case.option("kernel") - 1) + 1 <= min(case.shape[1:]) + 2 * most:
        fixes.append(Fix(f"Set padding to {most}", {"padding": most}))
    return Problem(
        "border_too_wide",
        f"{describe(case.shape)} come in and can be {what} by at most {most} pixel{'s' * (most != 1)}, but its padding "
        f"is {padding}.",
        (*fixes, REMOVE),
    )


def conv_groups(case: Case) -> Problem | None:
    """Kernels are split over the groups of maps evenly, on both sides."""
    if case.layer.kind != "conv":
        return None
    groups, come, go = case.option("groups", 1), case.shape[0], case.option("channels")
    if come % groups == go % groups == 0:
        return None
    fitting = _largest_divisor(gcd(come, go), groups)
    fixes = [Fix(f"Set groups to {fitting}", {"groups": fitting})]
    if come % groups == 0:
        channels = max(groups, round(go / groups) * groups)
        fixes.append(Fix(f"Set channels to {channels}", {"channels": channels}))
    return Problem(
        "groups_do_not_divide",
        f"Its {groups} groups must divide the maps that come in ({come}) and those that come out ({go}).",
        (*fixes, REMOVE),
    )


def norm_groups(case: Case) -> Problem | None:
    if case.layer.kind != "group_norm" or case.shape[0] % case.option("groups") == 0:
        return None
    come, groups = case.shape[0], case.option("groups")
    fitting = _largest_divisor(come, groups)
    fitting = 1 if fitting == prod(case.shape) else fitting  # a mean over one number is that number
    return Problem(
        "norm_groups_do_not_divide",
        f"Its {groups} groups must divide the {come} channels that come in.",
        (Fix(f"Set groups to {fitting}", {"groups": fitting}), REMOVE),
    )


def _largest_divisor(number: int, most: int) -> int:
    return next(one for one in range(min(number, most), 0, -1) if number % one == 0)
