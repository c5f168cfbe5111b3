"""`python -m services.redemption --help`."""

from common.commands import service_commands

service_commands("services.redemption")(prog_name="python -m services.redemption")
