"""The plan of a learning rate as a small image."""

from __future__ import annotations

from cnn_core.recipe import TrainingSpec
from cnn_core.training.schedule import learning_rate

WIDTH, HEIGHT, STEPS = 176, 44, 120


def rate_sketch(training: TrainingSpec, colour: str) -> str:
    """An SVG of the learning rate from the first step to the last, from zero up to its highest."""
    steps = max(STEPS, training.epochs)
    looks = range(0, steps, max(1, steps // STEPS))
    rates = [learning_rate(training, step, steps, max(1, steps // training.epochs)) for step in looks]
    top = max(rates)
    points = [
        (2 + (WIDTH - 4) * place / (len(rates) - 1), HEIGHT - 2 - (HEIGHT - 6) * rate / top)
        for place, rate in enumerate(rates)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f'<polygon points="2,{HEIGHT - 1} {line} {WIDTH - 2},{HEIGHT - 1}" fill="{colour}" opacity=".16"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" vector-effect="non-scaling-stroke"/>'
        "</svg>"
    )
