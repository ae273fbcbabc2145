"""Write the weights that come with the playground: `python -m benchmarks.packaged_weights RUN NAME`.

RUN is a finished run of this computer; the file is written where `cnn_core.models.packaged` looks, in float16.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cnn_core.inference import Classifier
from cnn_core.models.packaged import FOLDER
from cnn_core.models.weights import save_weights
from cnn_core.runs.store import store

LICENCE = "MIT, like the images of Fashion-MNIST (Zalando SE) they were learned from"


def make(run_id: str, name: str) -> Path:
    run, classifier = store().get(run_id), Classifier.open(run_id)
    path = FOLDER / f"{name}.safetensors"
    about = {
        "title": run.name,
        "description": f"Accuracy on the test images of {run.dataset}: {run.test_accuracy:.1%}. {LICENCE}.",
        "layers": [layer.model_dump() for layer in run.recipe.network.layers],
        "shape": classifier.shape,
        "classes": classifier.classes,
    }
    save_weights(classifier.network.half(), path, about)
    return path


if __name__ == "__main__":
    print(make(*sys.argv[1:]))
