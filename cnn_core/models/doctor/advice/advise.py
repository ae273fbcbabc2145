"""All advice."""

from __future__ import annotations

from collections.abc import Sequence

from cnn_core.models.doctor.advice import proportions
from cnn_core.models.doctor.advice.advised import Advised
from cnn_core.models.doctor.advice.following import Following, Since
from cnn_core.models.doctor.advice.scores import on_scores
from cnn_core.models.doctor.finding import Finding
from cnn_core.models.doctor.reading import Node
from cnn_core.models.doctor.walk import Walk


def advise(nodes: Sequence[Node], walk: Walk) -> list[Finding]:
    """What is unwise in a network that was walked through. Of a layer that cannot work nothing more is said: what would
    be true of it depends on its repair."""
    advised = Advised(walk.layers)
    wrong = {finding.path for finding in walk.findings.values() if finding.severity == "error"}
    Following(advised, {seen.node.path: seen for seen in reversed(walk.seen)}).chain(nodes, Since())
    if not any(finding.code == "no_head" for finding in walk.findings.values()):
        on_scores(nodes, walk.classes, advised)
    proportions.small_field(walk.top, walk.classes, advised)
    proportions.one_large_layer(walk.seen, walk.images, advised)
    proportions.many_sigmoids(nodes, advised)
    return [finding for finding in advised.findings.values() if finding.path not in wrong]
