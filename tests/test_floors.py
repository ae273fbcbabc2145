"""Imports point down only, and the light modules stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    **dict.fromkeys(
        (
            "cnn_core.registry",
            "cnn_core.settings",
            "cnn_core.errors",
            "cnn_core.cores",
            "cnn_core.explain",
            "cnn_core.into_place",
            "cnn_core.normalisation",
            "cnn_core.spec",
            "cnn_core.recipe_json",
            "cnn_core.recipe_versions",
            "cnn_core.starting_weights",
            "cnn_core.saved_networks",
        ),
        0,
    ),
    "cnn_core.recipe": 1,
    "cnn_core.data": 2,
    "cnn_core.models": 2,
    "cnn_core.runs": 2,
    "cnn_core.planning": 3,
    "cnn_core.training": 3,
    "cnn_core.evaluation": 3,
    "cnn_core.inspection": 3,
    "cnn_core.inference": 3,
    "cnn_core.export": 4,
    "cnn_core.jobs": 5,
    "cnn_core.__main__": 6,
    "cnn_core.command_line": 6,
    "pages": 6,
    "app": 6,
}
ROOMS_TOGETHER = (0, 6)  # words build on words, and app.py on pages/; elsewhere neighbours do not know each other
LIGHT = (
    "cnn_core.registry",
    "cnn_core.settings",
    "cnn_core.errors",
    "cnn_core.cores",
    "cnn_core.explain",
    "cnn_core.recipe_json",
    "cnn_core.spec",
    "cnn_core.recipe",
    "cnn_core.command_line.program",
    "cnn_core.runs.store",
    "cnn_core.runs.networks",
    "cnn_core.runs.folder",
    "cnn_core.jobs.queue",
    "cnn_core.jobs.executors.local_pool",
    "cnn_core.jobs.tasks.kinds",
    "cnn_core.planning.recipe",
    "cnn_core.planning.networks",
    "cnn_core.planning.network_json",
    "cnn_core.data.augmentation.steps",
    "cnn_core.data.augmentation.presets",
    "cnn_core.data.catalogue.library",
    "cnn_core.data.explore.statistics",
    "cnn_core.models.summary",
    "cnn_core.models.doctor",
    "cnn_core.data.incoming.archives.archive",
    "cnn_core.data.incoming.labels.layout",
    "cnn_core.data.explore.duplicates",
    "cnn_core.data.explore.embedding",
    "cnn_core.evaluation.label_mistakes",
    "cnn_core.evaluation.novelty",
    "cnn_core.data.explore.background",
    "cnn_core.evaluation.metrics",
    "cnn_core.evaluation.coach",
    "cnn_core.training.outlook",
    "cnn_core.inspection.montage",
)
FILES = [ROOT / "app.py", *sorted((ROOT / "cnn_core").rglob("*.py")), *sorted((ROOT / "pages").rglob("*.py"))]


KIT = {"frame": 0, "address": 1, "forms": 1, "charts": 1, "stage": 1}  # rooms of pages/ui that every screen is made of
OPENERS = (  # what a screen does for the others: opens a data set, a network or a run
    "pages.ui.data.datasets",
    "pages.ui.data.sealed",
    "pages.ui.runs.choosing",
    "pages.ui.runs.records",
    "pages.ui.understand.classifiers",
    "pages.ui.understand.preprocessing",
    "pages.ui.understand.unlike",
    "pages.ui.inside.small",
    "pages.ui.inside.learning",
)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str | None:
    """The entry of FLOORS a module belongs to; None for packages of others and the empty cnn_core itself."""
    return next((room for room in FLOORS if module == room or module.startswith(f"{room}.")), None)


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_down(path: Path) -> None:
    here = room_of(module_of(path))
    if here is None:
        assert module_of(path) == "cnn_core", "a new folder: give it a floor"
        return
    for module in imports_of(path):
        there = room_of(module)
        if there is None or there == here:
            continue
        together = FLOORS[there] == FLOORS[here] in ROOMS_TOGETHER
        assert together or FLOORS[there] < FLOORS[here], f"{module_of(path)} (floor {FLOORS[here]}) imports {module}"


@pytest.mark.parametrize("path", sorted((ROOT / "pages" / "ui").rglob("*.py")), ids=module_of)
def test_screens_share_only_the_kit_and_the_openers(path: Path) -> None:
    here = screen_of(module_of(path))
    for module in imports_of(path) - {module_of(folder) for folder in (ROOT / "pages" / "ui").iterdir()}:
        there = screen_of(module)
        if there in (None, here):
            continue
        if there in KIT:
            assert KIT.get(here, 2) >= KIT[there], f"{module_of(path)} imports {module}"
        else:
            assert here not in KIT, f"the kit knows no screen, but {module_of(path)} imports {module}"
            assert module.startswith(OPENERS), f"{module_of(path)} imports {module}, which is no opener"


def screen_of(module: str) -> str | None:
    """The room of pages/ui that a module lies in."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["pages", "ui"] and len(parts) > 2 else None


@pytest.mark.parametrize("path", [path for path in FILES if "cnn_core" in path.parts], ids=module_of)
def test_the_core_knows_nothing_of_streamlit(path: Path) -> None:
    assert not any(module.split(".")[0] == "streamlit" for module in imports_of(path))


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_do_not_load_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_no_file_is_long() -> None:
    long = {module_of(path): lines for path in FILES if (lines := len(path.read_text().splitlines())) > 300}
    assert not long


def test_the_files_of_runs_are_reached_in_one_place() -> None:
    owners = [module_of(path) for path in FILES if "settings().runs" in path.read_text()]
    assert owners == ["cnn_core.runs.files"]
    assert not [module_of(path) for path in FILES if "pages" in path.parts and ".stat()" in path.read_text()]
