"""Rows and SQL: everything the service remembers, in PostgreSQL."""
