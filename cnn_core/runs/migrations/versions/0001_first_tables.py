"""The tables as they were before there were revisions; a database of that time keeps those it has."""

from alembic import op
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

revision = "0001"
down_revision = None

NUMBER = Float(53)
metadata = MetaData()


def run_id() -> Column:
    return Column("run_id", String(16), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False)


Table(
    "runs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("recipe_json", Text, nullable=False),
    Column("created", NUMBER, nullable=False),
    Column("queued", NUMBER, nullable=False),
    Column("started", NUMBER),
    Column("finished", NUMBER),
    Column("worker", String(64)),
    Column("heartbeat", NUMBER),
    Column("device", String(64), nullable=False),
    Column("precision", String(64), nullable=False),
    Column("dataset_hash", String(64), nullable=False),
    Column("epoch", NUMBER, nullable=False),
    Column("step", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("images_per_second", NUMBER, nullable=False),
    Column("seconds", NUMBER, nullable=False),
    Column("learning_rate", NUMBER, nullable=False),
    Column("best_epoch", Integer),
    Column("best_validation_loss", NUMBER),
    Column("train_accuracy", NUMBER),
    Column("validation_accuracy", NUMBER),
    Column("test_accuracy", NUMBER),
    Column("test_loss", NUMBER),
    Column("message", Text, nullable=False),
    Column("progress_text", String(200), nullable=False),
)
Table(
    "metrics",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    run_id(),
    Column("kind", String(16), nullable=False),
    Column("step", Integer, nullable=False),
    Column("epoch", NUMBER, nullable=False),
    Column("loss", NUMBER, nullable=False),
    Column("accuracy", NUMBER, nullable=False),
    Column("learning_rate", NUMBER, nullable=False),
    Column("images_per_second", NUMBER, nullable=False),
    Column("seconds", NUMBER, nullable=False),
    Index("metrics_of_run", "run_id", "id"),
)
Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Integer, nullable=False),
)
Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    run_id(),
    Column("step", Integer, nullable=False),
    Column("epoch", NUMBER, nullable=False),
    Column("name", String(64), nullable=False),
    Column("old", NUMBER, nullable=False),
    Column("new", NUMBER, nullable=False),
    Column("time", NUMBER, nullable=False),
    Index("changes_of_run", "run_id", "id"),
)
Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(16), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("verb", String(16), nullable=False),
    Column("value", NUMBER),
)
Table(
    "workers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("slot", Integer, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("device", String(64), nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("heartbeat", NUMBER, nullable=False),
    Column("run_id", String(16)),
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
