"""Every error at its boundary: found exactly where torch refuses, and gone with each of its repairs."""

import pytest

from cnn_core.models.doctor import Finding, examine
from cnn_core.models.preset import Layers
from tests.models.doctor_cases import CASES, CLASSES, Case
from tests.models.layer_lists import refused


def errors(layers: Layers, case: Case) -> list[Finding]:
    return [one for one in examine(layers, case.shape, CLASSES, case.batch) if one.severity == "error"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_found_where_torch_refuses_and_not_one_step_before(case: Case) -> None:
    assert refused(case.good, case.shape, CLASSES, case.batch) == ""
    assert errors(case.good, case) == []
    assert refused(case.bad, case.shape, CLASSES, case.batch)
    assert [(one.code, one.path) for one in errors(case.bad, case)] == [(case.code, case.path)]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_first_repair_builds_and_every_other_takes_it_away(case: Case) -> None:
    (found,) = errors(case.bad, case)
    if case.repair:
        assert found.repairs[0].title == case.repair
    assert refused(found.repairs[0].layers, case.shape, CLASSES, case.batch) == ""
    for repair in found.repairs:
        assert (case.code, case.path) not in [(one.code, one.path) for one in errors(repair.layers, case)], repair.title
        assert repair.title
    assert found.sentence.endswith(".")
    assert found.sentence[0].isupper() or found.sentence[0].isdigit()
