"""Postgres, which holds what is true: pools, group commit, migrations, the embedded server."""
