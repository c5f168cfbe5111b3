"""The embedded servers, ready to use: PostgreSQL 18 and Valkey 9 with their data under one folder each."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.hosting import EmbeddedServerError
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedServerError", "EmbeddedValkey", "start_postgres", "start_valkey"]


def start_postgres(
    folder: Path, *, log_file: Path | None = None, durable: bool = True, settings: Mapping[str, str] | None = None
) -> EmbeddedPostgres:
    """A running PostgreSQL whose cluster is `folder`, created at first use; logs beside the folder unless told.

    Without `durable` it does not wait for the disk: for throw-away servers only. Raises EmbeddedServerError with a
    message for people when the folder is somebody else's, of another version, in use or not writable.
    """
    folder = folder.resolve()
    log_file = log_file or folder.with_name(f"{folder.name}.log")
    server = EmbeddedPostgres(folder=folder, log_file=log_file, durable=durable, settings=settings or {})
    server.start()
    return server


def start_valkey(folder: Path, *, log_file: Path | None = None, durable: bool = True) -> EmbeddedValkey:
    """A running Valkey whose append-only file is in `folder`; the same promises as `start_postgres`."""
    folder = folder.resolve()
    server = EmbeddedValkey(folder=folder, log_file=log_file or folder.with_name(f"{folder.name}.log"), durable=durable)
    server.start()
    return server
