"""What alembic runs to apply revisions: on the connection that `upgrade` hands it, in one transaction."""

from alembic import context

from cnn_core.runs.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, transactional_ddl=True
)
context.run_migrations()
