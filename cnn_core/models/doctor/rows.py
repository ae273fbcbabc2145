"""Maps where a row of numbers is expected, a row where maps are, and rows and norms of the wrong length."""

from __future__ import annotations

from math import prod

from cnn_core.models.doctor.problem import REMOVE, Case, Fix, Problem, spec_of
from cnn_core.models.doctor.traits import TAKES_MAPS
from cnn_core.models.layer import describe
from cnn_core.models.summary import MOST_PARAMETERS


def linear_on_maps(case: Case) -> Problem | None:
    if case.layer.kind != "linear" or len(case.shape) == 1:
        return None
    flatten = Fix("Insert a flatten before it", before=(spec_of("flatten"),))
    pool = Fix("Insert a global pooling before it", before=(spec_of("global_pool"),))
    features, expected = case.option("features") or case.classes, case.option("inputs")
    pool_first = prod(case.shape) * features > MOST_PARAMETERS or expected == case.shape[0] != prod(case.shape)
    return Problem(
        "linear_on_maps",
        f"{describe(case.shape)} come in, but it takes a row of numbers.",
        (pool, flatten) if pool_first else (flatten, pool),
    )


def maps_layer_on_row(case: Case) -> Problem | None:
    """A flatten that could be moved behind it is found by the walk, which sees what came before."""
    if case.layer.kind not in TAKES_MAPS or len(case.shape) == 3:
        return None
    return Problem(
        "maps_layer_on_row",
        f"A row of {describe(case.shape)} comes in, but it takes maps.",
        (REMOVE,),
    )


def linear_inputs(case: Case) -> Problem | None:
    expected = case.option("inputs")
    if case.layer.kind != "linear" or expected in (0, case.shape[0]):
        return None
    return Problem(
        "linear_inputs",
        f"{case.shape[0]:,} numbers come in, but it expects {expected:,}.",
        (Fix(f"Let it take the {case.shape[0]:,} numbers that come in", {"inputs": 0}),),
    )


def norm_of_one(case: Case) -> Problem | None:
    """A mean over one number is that number. torch refuses it where it normalises groups of maps."""
    grouped = case.layer.kind == "group_norm" or (case.layer.kind == "layer_norm" and len(case.shape) == 3)
    if case.layer.kind not in ("group_norm", "layer_norm"):
        return None
    groups = case.option("groups", 1)
    if case.shape[0] % groups or prod(case.shape) != groups:
        return None
    one = Fix("Set groups to 1", {"groups": 1})
    return Problem(
        "norm_of_one_number",
        f"{describe(case.shape)} come in, so each of its means is over a single number: what comes out is the same for "
        "every image.",
        (one, REMOVE) if groups > 1 else (REMOVE,),
        advice=not grouped,
    )


def batch_of_one(case: Case) -> Problem | None:
    """torch refuses to train batch norm on one number a channel."""
    if case.batch_size > 1 or case.layer.kind not in ("batch_norm", "residual"):
        return None
    shape = case.layer.output_shape(case.shape, case.classes)
    if prod(shape[1:]) != 1:
        return None
    layer_norm = Fix("Make it a layer norm", instead=(spec_of("layer_norm"),))
    what = (
        f"With a batch size of 1 its mean over the batch is over one number a {'map' if len(shape) == 3 else 'value'}"
    )
    return Problem(
        "batch_of_one",
        f"{what}: that cannot be trained. Use a layer norm or a larger batch size.",
        (layer_norm, REMOVE) if case.layer.kind == "batch_norm" and prod(shape) > 1 else (REMOVE,),
    )
