"""`python -m services.referrals --help`."""

from common.commands import service_commands

service_commands("services.referrals")(prog_name="python -m services.referrals")
