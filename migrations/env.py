"""Alembic environment for both trees. Run through `whitefelt.kernel.migration`, which gives connection and schema."""

from alembic import context

connection = context.config.attributes["connection"]
schema = context.config.attributes["schema"]

# A migration may wait for a lock only briefly: a queue behind it would stop the tenant's players.
cursor = connection.connection.cursor()
cursor.execute("SELECT set_config('lock_timeout', '3s', true), set_config('search_path', %s, true)", (schema,))
cursor.close()
context.configure(connection=connection, version_table_schema=schema, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
