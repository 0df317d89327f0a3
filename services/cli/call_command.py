"""`botlane call`: one integration of a bot, run from the terminal as it is run in production."""

import ipaddress
from pathlib import Path

import click
import msgspec
from yarl import URL

from services.cli.call_curl import curl
from services.cli.call_domains import with_domains
from services.cli.call_once import Ran, be_quiet, run_call, scripts_of
from services.cli.call_text import as_json, as_text
from services.cli.call_values import Prepared, find_integration, given_values, prepare
from services.cli.failure import FINDINGS, CommandFailed
from services.cli.plain import plain
from services.integration_worker.idempotency import with_idempotency_key
from services.setting_forms import rewrite_url
from services.settings import Settings, read_settings
from services.tester.batch import be_in_utc
from shared.bot.bot import compile_bot
from shared.bot.integration import MAIL
from shared.bot.manifest_credentials import certificate_of
from shared.bot.source import BotSource, read_bot
from shared.integration.filling import InvalidRequest
from shared.integration.redirects import rewrite
from shared.integration.request import render_request
from shared.integration.shown import show_request
from shared.privacy.naming import Sensitive

_REACH = (
    "If this address of an inner network is meant, allow it in {manifest}:\n\n"
    '  [egress]\n  private = ["{network}"]\n\n'
    "or for once, as the operator may: --rewrite-url {origin}={origin}"
)
_LIST = 'If {host} is meant, add it to the hosts that calls may go to, in {manifest}: [egress] allow = [..., "{host}"]'
_INNER = "10.0.0.0/8"


@click.command(short_help="Make one call of a bot and show all of it.")
@click.argument("bot", type=click.Path(path_type=Path))
@click.argument("integration", default="")
@click.option(
    "--set", "sets", multiple=True, metavar="NAME=VALUE", help="A variable's text; NAME:=JSON for other values."
)
@click.option("--curl", "as_curl", is_flag=True, help="Print the equivalent curl command and call nothing.")
@click.option("--json", "json_form", is_flag=True, help="Say what happened as JSON.")
@click.option("--manifest", type=click.Path(path_type=Path), help="Manifest of BOT, instead of the one beside it.")
@click.option(
    "--rewrite-url",
    "rewrites",
    multiple=True,
    metavar="FROM=TO",
    help="Send calls with one prefix elsewhere, beside those of BOTLANE_REWRITE_URLS.",
)
def call(
    *,
    bot: Path,
    integration: str,
    sets: tuple[str, ...],
    as_curl: bool,
    json_form: bool,
    manifest: Path | None,
    rewrites: tuple[str, ...],
) -> int:
    """Run one INTEGRATION of the exported BOT and show its request, attempts, response, script and fields.

    It is rendered, called and read as in production: the same policy, the same client, the same scripts. No server is
    needed. Secrets and sensitive variables are masked. The exit code is 0 for a success, 1 for a failed call or script.
    """
    settings = _settings(rewrites)
    source = read_bot(bot, manifest)
    compiled = compile_bot(source)
    be_in_utc()
    be_quiet()
    found = find_integration(compiled, integration)
    given = given_values(sets)
    compiled = with_domains(compiled, found, given, settings)
    prepared = prepare(compiled, found, given, scripts_of(compiled, settings))
    if as_curl:
        click.echo(_command(prepared, settings))
        return 0
    ran = run_call(prepared, settings)
    click.echo((as_json if json_form else as_text)(ran, found))
    _advise(ran, source)
    return 0 if ran.succeeded and not ran.script_failed else FINDINGS


def _settings(rewrites: tuple[str, ...]) -> Settings:
    """Return the settings of the environment, with the rewrites of the command line beside theirs."""
    settings = read_settings()
    try:
        more = tuple(rewrite_url(text) for text in rewrites)
    except ValueError:
        hint = "FROM=TO, both http or https addresses"
        raise CommandFailed(f"--rewrite-url {' '.join(rewrites)} cannot be used: give it {hint}.") from None
    return msgspec.structs.replace(settings, rewrite_urls=(*settings.rewrite_urls, *more))


def _command(prepared: Prepared, settings: Settings) -> str:
    integration = prepared.integration
    if integration.kind == MAIL:
        raise CommandFailed(f"{plain(integration.name)} sends a mail: there is no curl command for it.")
    try:
        request = render_request(integration, prepared.values)
    except InvalidRequest as error:
        raise CommandFailed(f"The request cannot be rendered: {error}.", FINDINGS) from error
    request = with_idempotency_key(request, integration, prepared.call_id)
    bot = prepared.bot
    # What the operator has sent elsewhere goes there directly.
    proxy = None if rewrite(request.url, settings.rewrite_urls) else bot.egress.proxy(request.url)
    credential = bot.credentials.get(integration.credential)
    is_sensitive = Sensitive(bot.sensitive).matches
    shown = show_request(
        integration,
        prepared.values,
        request,
        credential=credential,
        certificate=None if credential is None else certificate_of(bot.credentials, credential),
        proxy=proxy,
        is_sensitive=is_sensitive,
    )
    command = curl(shown, integration.policy, settings.rewrite_urls)
    if used := [name for name in shown.names if f"${{{name}}}" in command]:
        click.echo(f"Set before you run it: {', '.join(used)}", err=True)
    return command


def _advise(ran: Ran, source: BotSource) -> None:
    """Say how an address is allowed, when that is why nothing was called."""
    if ran.outcome.failure != "refused" or "[egress]" not in ran.outcome.failure_detail:
        return
    url = URL(ran.outcome.address)
    host, manifest = url.host or "", source.manifest_file
    if "[egress] allow" in ran.outcome.failure_detail:
        said = _LIST.format(manifest=manifest, host=host)
    else:
        said = _REACH.format(manifest=manifest, network=_network(host), origin=url.origin())
    click.echo(f"botlane: {said}", err=True)


def _network(host: str) -> str:
    """Return the range to allow for a host, an example of one for a name that only its resolver knows."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return _INNER
    if address.is_loopback:
        return "127.0.0.0/8" if address.version == 4 else "::1/128"
    return str(ipaddress.ip_network(address))
