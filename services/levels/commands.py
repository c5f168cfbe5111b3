"""The commands of levels: those every service has, and rebuilding what Valkey shows."""

import click

from common.commands import service_commands

commands = service_commands("services.levels")


@commands.command("rebuild-boards")
def rebuild_boards() -> None:
    """Build every leaderboard's sorted set in Valkey anew from PostgreSQL."""
    from services.levels.leaderboards import use_cases
    from services.levels.service import service

    click.echo(f"{use_cases.rebuild_all(service.database)} sorted sets rebuilt")
