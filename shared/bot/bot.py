"""From a source to a bot: decode, link, compile. What cannot be used is one clear error, the rest is a finding."""

import re
from collections.abc import Iterable

from shared.bot import export as raw
from shared.bot.decoding import decode_export
from shared.bot.domains import domains_of
from shared.bot.durations import parse_duration
from shared.bot.egress import egress_of
from shared.bot.errors import BotError, Finding
from shared.bot.hosts import read_host
from shared.bot.integration import MAIL, CustomField, Integration, Policy, check_policy
from shared.bot.intents import intents_by_name, not_understood
from shared.bot.interactions import compile_interaction
from shared.bot.kinds import dialog_kind
from shared.bot.links import Links
from shared.bot.manifest import IntegrationPart, Manifest, decode_manifest
from shared.bot.manifest_credentials import Consumer
from shared.bot.model import Bot, Dialog, Interaction, Survey
from shared.bot.protection import Protection
from shared.bot.source import BotSource
from shared.bot.templates import Placeholder, Template, compile_template
from shared.bot.unknown_keys import unknown_keys

_HOUR_MS = 3_600_000


def compile_bot(source: BotSource) -> Bot:
    """Compile a source. Raises BotError naming file, place and remedy."""
    export, manifest = _decoded(source)
    links = Links.of(export, source.file)
    interactions = {message.id: compile_interaction(message, links) for message in links.in_order()}
    dialogs = _dialogs(export, interactions, links)
    intents = intents_by_name(export.associated_intents or ())
    unheard = not_understood(interactions.values(), dialogs, intents, manifest.understood)
    integrations = _integrations(export, manifest, source)
    return Bot(
        id=export.bot.id,
        name=export.bot.name,
        version=source.version,
        language=export.bot.language,
        greeting=export.bot.get_started_button_payload or "hi",
        default_error=_default_error(export.bot),
        session_ms=_session_ms(export.bot, manifest),
        debug_commands=str(export.bot.bot_attributes.get("ENABLE_DEBUG", "")).lower() == "true",
        dialogs=dialogs,
        fallback=next((d for d in dialogs.values() if d.kind == "FALLBACK_DIALOG" and d.enabled), None),
        interactions=interactions,
        names=links.names,
        integrations=integrations,
        integration_names=_integration_names(integrations.values()),
        global_functions=export.global_functions.methods if export.global_functions else "",
        environment=manifest.variables,
        domains=domains_of(manifest.environment),
        limits=manifest.limits,
        keep_types=manifest.keep_types,
        greet=manifest.greet,
        web_view_mode=manifest.web_view.mode,
        egress=egress_of(manifest.egress, manifest.hosts),
        hosts={read_host(name): part.protection for name, part in manifest.hosts.items() if part.protection.limited},
        sensitive=(*manifest.privacy.sensitive, *_token_variables(manifest)),
        findings=(*links.findings, *unheard, *_passed_over(source)),
        understanding=manifest.understood,
        intents=intents,
        survey=_survey(export.bot),
        credentials=manifest.credentials,
    )


def _decoded(source: BotSource) -> tuple[raw.Export, Manifest]:
    return decode_export(source.export, source.file), decode_manifest(source.manifest, source.manifest_file)


def bot_id(source: BotSource) -> str:
    """Return the id of the bot without compiling it. Raises BotError."""
    return decode_export(source.export, source.file).bot.id


def _dialogs(export: raw.Export, interactions: dict[str, Interaction], links: Links) -> dict[str, Dialog]:
    dialogs: dict[str, Dialog] = {}
    for group in export.groups:
        order = tuple(message.id for message in links.chains[group.id])
        first = interactions[order[0]] if order else None
        dialogs[group.id] = Dialog(
            id=group.id,
            name=group.name,
            kind=dialog_kind(group.dialog_type),
            enabled=group.status != "DISABLED",
            interactions=order,
            starter=first if first is not None and first.kind == "DIALOG_STARTER" else None,
            threshold=_count(group.auto_escalation_threshold or group.escalation_threshold),
        )
    return dialogs


def _default_error(bot: raw.BotPart) -> str | None:
    text = bot.default_error_message or bot.bot_attributes.get("DEFAULT_ERROR_MESSAGE")
    return text if isinstance(text, str) and text.strip() else None


def _count(written: str | int | None) -> int:
    """Return how many failures in a row are too many: a positive number as written, else three."""
    try:
        return max(1, int(written or 3))
    except ValueError:
        return 3


def _survey(bot: raw.BotPart) -> Survey | None:
    if bot.chat_bot_type != "POST_SURVEY_BOT":
        return None
    limit = bot.fallback_limit or bot.bot_attributes.get("PCS_FALLBACK_LIMIT")
    return Survey(_count(limit if isinstance(limit, str | int) else None), bot.fallback_limit_message or "")


def _session_ms(bot: raw.BotPart, manifest: Manifest) -> int:
    if manifest.session.idle:
        return parse_duration(manifest.session.idle)
    try:
        minutes = int(bot.session_length or 0)
    except ValueError:
        minutes = 0
    return minutes * 60_000 if minutes > 0 else _HOUR_MS


def _integrations(export: raw.Export, manifest: Manifest, source: BotSource) -> dict[str, Integration]:
    named = {responder.name for responder in export.responder}
    for name in manifest.integrations:
        if name not in named:
            known = ", ".join(sorted(named)) or "none"
            raise BotError(
                source.manifest_file,
                f"integrations.{name}",
                "the export has no integration of this name",
                f"Its integrations are: {known}",
            )
    return {responder.id: _integration(responder, manifest, source) for responder in export.responder}


def _integration(responder: raw.Responder, manifest: Manifest, source: BotSource) -> Integration:
    part = manifest.integrations.get(responder.name)
    policy = part.policy() if part else Policy()
    problems = check_policy(policy)
    if problems:
        raise BotError(
            source.manifest_file,
            f"integrations.{responder.name}",
            problems[0],
            "Change the value, or leave it out for the default",
        )
    default_headers = part.default_headers if part and part.default_headers is not None else True
    is_mail = responder.integration_type == MAIL
    return Integration(
        id=responder.id,
        name=responder.name,
        kind=responder.integration_type,
        variable=responder.response_data_variable or responder.name,
        method="POST" if is_mail else (responder.method or "GET").upper(),
        url=Template(manifest.email.smtp, (manifest.email.smtp,))
        if is_mail
        else compile_template((responder.webhook or "").strip()),
        params=_rows(responder.params),
        headers=_rows(responder.headers),
        body=compile_template(responder.post_body) if responder.post_body else None,
        default_headers=default_headers,
        transform=responder.transform_results_script or "",
        fields=tuple(
            CustomField(field.key, str(field.value))
            for field in responder.custom_data_fields or ()
            if field.key and field.value is not None
        ),
        policy=policy,
        credential=(part.credential if part else "") or (manifest.email.credential if is_mail else ""),
        consumer_token=_consumer_token(part, manifest),
        protection=part.protection if part else Protection(),
        sender=manifest.email.sender if is_mail else "",
    )


def _token_variables(manifest: Manifest) -> list[str]:
    """Return patterns of the variables that hold consumers' tokens: they are sensitive without being named."""
    ways = [one for one in manifest.credentials.values() if isinstance(one, Consumer)]
    return [re.sub(r"([*?[])", r"[\1]", one.variable.strip()) for one in ways]


def _consumer_token(part: IntegrationPart | None, manifest: Manifest) -> Placeholder | None:
    """Return the variable that a credential of the consumer's own is read from."""
    credential = manifest.credentials.get(part.credential) if part else None
    if not isinstance(credential, Consumer):
        return None
    name = credential.variable.strip()
    return Placeholder("variable", name, f"$botContext.{name}")


def _rows(rows: list[raw.KeyValue] | None) -> tuple[tuple[Template, Template], ...]:
    return tuple(
        (compile_template(row.key), compile_template("" if row.value is None else str(row.value)))
        for row in rows or ()
        if row.key
    )


def _integration_names(integrations: Iterable[Integration]) -> dict[str, str]:
    """Index by name and by response variable (R11); a name wins over another's variable."""
    listed = list(integrations)
    return {i.variable: i.id for i in listed} | {i.name: i.id for i in listed}


def _passed_over(source: BotSource) -> list[Finding]:
    return [
        Finding("unknown-key", place, f"'{key}' is not known here and has no effect")
        for place, key in unknown_keys(source.export)
    ]
