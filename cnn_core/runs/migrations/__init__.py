"""The tables of the run store, made and upgraded by alembic: one file in `versions/` for each change of the schema.

Alembic takes 0.2 s to load, so `cnn_core.runs.engine` imports it only where the database is not at `HEAD`.
"""

REVISIONS = ("0001", "0002", "0003")
HEAD = REVISIONS[-1]
