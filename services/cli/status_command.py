"""`botlane status`: an installation on one screen."""

from pathlib import Path

import click

from services.cli.screens import show
from services.cli.server_option import server_address, with_server
from services.cli.status_page import clock, page
from services.cli.status_reading import read_status
from services.settings import read_settings


@click.command(short_help="Show server, queues, programs and bots.")
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object; with --watch one a line.")
@with_server
def status(*, watch: bool, as_json: bool, redis: str, data: Path | None) -> None:
    """Show the server, conversations, queues, programs and bots, and what should be looked at."""
    settings = read_settings()
    url = server_address(redis, data, settings)
    show(
        url,
        lambda client: read_status(client, settings),
        page,
        lambda found: f"botlane status · {clock(found)}",
        watch=watch,
        as_json=as_json,
    )
