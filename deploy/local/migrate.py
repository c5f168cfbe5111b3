"""Migrate several services in one Python process: `python -m deploy.local.migrate gateway services.points …`.

Each is the service's own `python -m <service> migrate`; to import SQLAlchemy and Alembic once instead of five times
is what makes the first start short.
"""

import runpy
import sys

import click


@click.command(help=__doc__)
@click.argument("packages", nargs=-1, required=True)
def main(packages: tuple[str, ...]) -> None:
    for package in packages:
        sys.argv = [package, "migrate"]
        try:
            runpy.run_module(package, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if end.code:
                raise click.ClickException(f"the migration of {package} failed") from end


if __name__ == "__main__":
    main()
