"""Why a network answered so, on the page Inside."""

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.errors import DatasetUnavailableError
from cnn_core.inspection.attribution import METHODS
from pages.ui.data import datasets
from tests.pages.conftest import Open, errors, query, run, text


def why(open_page: Open, **asked: object) -> AppTest:
    return open_page("inside", view="why", **asked)


@pytest.mark.parametrize("method", METHODS)
def test_predicted_and_true_class_stand_side_by_side(open_page: Open, runs: list[str], method: str) -> None:
    page = why(open_page, run=runs[0], method=method, **{"class": 4, "image": 2})
    assert not page.error
    assert text(page).count('class="cnn-regions"') == 4
    assert "· predicted" in text(page)
    assert "The check" in text(page)


def test_choices_are_in_the_address(open_page: Open, runs: list[str]) -> None:
    page = why(open_page, run=runs[0], method="grad_cam", layer="0", target=7)
    assert page.selectbox(key="choice:target").value == 7
    page.selectbox(key="choice:target").set_value(3)
    assert query(run(page))["target"] == "3"
    page.selectbox(key="choice:method").set_value("occlusion")
    assert query(run(page))["method"] == "occlusion"


def test_it_works_without_the_data_set(open_page: Open, runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_run: object) -> None:
        raise DatasetUnavailableError("The images are not here any more.")

    monkeypatch.setattr(datasets, "of_run", gone)
    page = why(open_page, run=runs[0], method="saliency")
    assert "not here any more" in errors(page)
    assert 'class="cnn-regions"' in text(page)
