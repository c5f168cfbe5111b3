"""`python -m services.levels --help`."""

from services.levels.commands import commands

commands(prog_name="python -m services.levels")
