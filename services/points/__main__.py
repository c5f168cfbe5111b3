"""`python -m services.points --help`."""

from common.commands import service_commands

service_commands("services.points")(prog_name="python -m services.points")
