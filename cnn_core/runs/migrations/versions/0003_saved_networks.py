"""Networks that people saved under a name, and the counter of their ids."""

from alembic import op
from sqlalchemy import Column, Float, Integer, String, Text, UniqueConstraint, column, insert, table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "networks",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("name", String(80), nullable=False),
        Column("name_key", String(64), nullable=False),
        Column("owner", String(64), nullable=False),
        Column("digest", String(8), nullable=False),
        Column("image_size", Integer, nullable=False),
        Column("teaches", Text, nullable=False),
        Column("created", Float(53), nullable=False),
        Column("changed", Float(53), nullable=False),
        Column("layers_json", Text, nullable=False),  # last: SQLite reads past it to what comes after
        UniqueConstraint("name_key"),
    )
    counters = table("counters", column("name"), column("value"))
    op.get_bind().execute(insert(counters).values(name="networks", value=0))
