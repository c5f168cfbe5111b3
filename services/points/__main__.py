"""`python -m services.points --help`."""

from services.points.commands import commands

commands(prog_name="python -m services.points")
