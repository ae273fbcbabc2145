"""What a run belongs to and came from, what it asks for, and quantities without a column of their own."""

import json
from typing import Any

from alembic import op
from sqlalchemy import JSON, Column, Integer, String, Text, column, delete, func, insert, select, table, update

revision = "0002"
down_revision = "0001"

NAMES = {"dataset": 200, "network": 200, "device_wanted": 16, "owner": 64, "group_name": 64, "executor": 32}
SERVED_BY_ANY = "auto"  # also of runs that a process of the earlier version, still open, adds later
runs = table("runs", *map(column, ("id", "number", "recipe_json", "dataset", "network", "device_wanted")))
metrics = table("metrics", column("id"))
counters = table("counters", column("name"), column("value"))


def upgrade() -> None:
    for name, length in NAMES.items():
        default = SERVED_BY_ANY if name == "device_wanted" else ""
        op.add_column("runs", Column(name, String(length), nullable=False, server_default=default))
    op.add_column("runs", Column("parent_run", String(16)))
    op.add_column("runs", Column("parent_epoch", Integer))
    op.add_column("runs", Column("note", Text, nullable=False, server_default=""))
    for table_name, name in (("runs", "tags"), ("runs", "quantities"), ("metrics", "quantities")):
        op.add_column(table_name, Column(name, JSON, nullable=False, server_default="[]" if name == "tags" else "{}"))
    op.add_column("workers", Column("serves", String(64), nullable=False, server_default="auto,cpu"))
    op.create_index("ix_runs_dataset", "runs", ["dataset"])
    connection = op.get_bind()
    for name, numbers in (("metrics", metrics.c.id), ("runs", runs.c.number)):
        known = connection.scalar(select(counters.c.value).where(counters.c.name == name)) or 0
        largest = connection.scalar(select(func.max(numbers))) or 0
        connection.execute(delete(counters).where(counters.c.name == name))
        connection.execute(insert(counters).values(name=name, value=max(known, largest)))
    for run_id, recipe in connection.execute(select(runs.c.id, runs.c.recipe_json)).all():
        connection.execute(update(runs).where(runs.c.id == run_id).values(**_columns(recipe)))


def _columns(recipe: str) -> dict[str, str]:
    """What the recipe of a run says about it; of one that cannot be read as much as can."""
    try:
        values = json.loads(recipe)
    except (ValueError, RecursionError):
        values = None
    return {
        "dataset": _text(values, "data", "dataset")[: NAMES["dataset"]],
        "network": _text(values, "network", "preset")[: NAMES["network"]],
        "device_wanted": _text(values, "training", "device")[: NAMES["device_wanted"]] or SERVED_BY_ANY,
    }


def _text(values: Any, part: str, name: str) -> str:
    found = values.get(part) if isinstance(values, dict) else None
    text = found.get(name) if isinstance(found, dict) else None
    return text.replace("\0", "").encode(errors="replace").decode() if isinstance(text, str) else ""
