"""Alembic migrations; each is frozen once it was released."""
