"""Pages that need no torch do not load it: the server stays small and they open fast."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
import cnn_core.jobs.executors.local_pool as pool
from streamlit.testing.v1 import AppTest
pool.start_workers = lambda: None
app = AppTest.from_file("app.py", default_timeout=60)
for page in ("home", "data", "train", "evaluate", "runs"):
    app.switch_page(f"pages/{page}.py")
    if sys.argv[1:] and page in ("train", "evaluate", "runs"):
        app.query_params["run"] = sys.argv[1]
    app.run()
    assert not app.exception, app.exception
    assert "torch" not in sys.modules, page
app.switch_page("pages/data.py")
for view in ("classes", "pixels", "copies", "map", "image"):
    app.query_params["view"] = view
    app.run()
    assert not app.exception, app.exception
    assert "torch" not in sys.modules, view
"""


def test_pages_that_need_no_torch_do_not_load_it(home: Path, runs: list[str]) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, runs[0]], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
