"""The manifest: decoded strictly, every error names the key and what to do (design section 6)."""

import pytest

from shared.bot.domains import Domain
from shared.bot.egress import Proxy
from shared.bot.errors import BotError
from shared.bot.integration import Policy
from shared.bot.model import Bot
from shared.bot.protection import Breaker, Protection, Rate
from tests.unit.dialog.bots import bot, dialog, id_of, integration, text


def with_manifest(manifest: str) -> Bot:
    return bot(dialog("D", text("a")), integrations=(integration("Store"),), manifest=manifest)


def test_an_empty_manifest_is_a_manifest() -> None:
    loaded = with_manifest("")
    assert loaded.limits.chain == 10
    assert loaded.limits.chain_across == 5
    assert loaded.integrations[id_of("integration:Store")].policy == Policy()


def test_every_table_of_the_manifest_is_read() -> None:
    loaded = with_manifest("""
        keep_types = true
        greet = true
        [session]
        idle = "90s"
        [environment]
        url = "https://api.example.com"
        count = 3
        ratio = 0.5
        on = true
        [limits]
        chain = 20
        [integrations.Store]
        total_timeout = 5.0
        retries = 1
        success = [200, 204]
        default_headers = false
        [egress]
        private = ["10.0.0.0/8"]
    """)
    assert (loaded.keep_types, loaded.greet, loaded.session_ms) == (True, True, 90_000)
    assert loaded.environment == {"url": "https://api.example.com", "count": "3", "ratio": "0.5", "on": "true"}
    assert (loaded.limits.chain, loaded.limits.chain_across) == (20, 5)
    store = loaded.integrations[id_of("integration:Store")]
    assert store.policy == Policy(total_timeout=5.0, retries=1, success=(200, 204))
    assert not store.default_headers
    assert loaded.egress.private == ("10.0.0.0/8",)
    assert loaded.findings == ()


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("= 3", "bot.botlane.toml: not TOML: Invalid statement (at line 1, column 1). Mend the line it names"),
        (
            "x = 1",
            "top level: object contains unknown field 'x'. The keys there are: keep_types, greet, session, environment,",
        ),
        ("keep_types = 3", "keep_types: expected 'bool', got 'int'"),
        (
            "[session]\nidel = '1h'",
            "session: object contains unknown field 'idel'. The keys there are: idle (docs/manifest.md)",
        ),
        ("[session]\nidle = 'soon'", "session.idle: 'soon' is not a duration; write it like 90s, 15m, 1h or 1h30m"),
        ("[limits]\nchain = 0", "limits.chain: 0 leaves no room for an interaction. Give 1 or more"),
        ("[environment]\na = 'b'\nc = [1]", "environment.c: expected 'bool | int | float | str | object', got 'array'"),
        (
            "[egress]\nprivate = ['10.0.0.0/99']",
            "egress.private: '10.0.0.0/99' is no address range. Write it like 10.0.0.0/8",
        ),
        (
            "[integrations.Nope]\nretries = 1",
            "integrations.Nope: the export has no integration of this name. Its integrations are: Store",
        ),
        (
            "[integrations.Store]\nretrys = 1",
            "integrations.Store: object contains unknown field 'retrys'. The keys there are: concurrency, rate, breaker, credential,",
        ),
        ("[integrations.Store]\nretries = 'a'", "integrations.Store.retries: expected 'int | null', got 'str'"),
        ("[integrations.Store]\nretries = 11", "integrations.Store: retries is 11: it must lie between 0 and 10"),
        ("[integrations.Store]\ntotal_timeout = 0", "total_timeout is 0.0: it must be more than 0"),
        ("[integrations.Store]\ntotal_timeout = nan", "total_timeout is nan: it must be more than 0"),
        (
            "[integrations.Store]\nattempt_timeout = 30",
            "attempt_timeout is 30.0: it must lie between 0 and total_timeout",
        ),
        (
            "[integrations.Store]\ntotal_timeout = 1\nconnect_timeout = 5",
            "connect_timeout is 5.0: it must not exceed total_timeout",
        ),
        (
            "[credentials.crm]\nclient_secret = 'hush'",
            "credentials.crm.client_secret: a secret stands in the manifest itself. Say where it is",
        ),
        (
            "[integrations.Store]\ncredential = 'crm'\n[credentials.shop]\ntype = 'consumer'",
            "integrations.Store.credential: there is no [credentials.crm]. Describe it, or name one that is there (shop)",
        ),
        ("[intents.order]\nphrase = ['a']", "intents.order: object contains unknown field 'phrase'"),
        ("[intents.order]", "intents.order.phrases: there are none. Give what consumers say"),
        ("[intents.order]\nphrases = ['a', '?!']", "intents.order.phrases: one of them has no word"),
        ("[entities.SIZE]", "entities.SIZE: it has neither values nor patterns"),
        ("[entities.'@SIZE']\nvalues = ['a']", "entities.@SIZE: an entity is named without @"),
        ("[entities.SIZE]\nvalues = ['~10']", "entities.SIZE.values: one of them has no word. Write word~value"),
        ("[entities.SIZE]\npatterns = ['(']", "entities.SIZE.patterns: '(' is no regular expression"),
        ("[entities.SIZE]\npatterns = ['a{1000000}']", "is no regular expression: with its repetitions written out"),
        ("[understanding]\nurl = 'nlu'", "understanding.url: it is no http or https address"),
        ("[understanding]\nurl = 'http://[x'", "understanding.url: it is no http or https address"),
        ("[understanding]\nurl = 'http://a:b@c/'", "understanding.url: a secret stands in the manifest itself"),
        ("[understanding]\nurl = 'http://c/?token=t'", "understanding.url: a secret stands in the manifest itself"),
        ("[understanding]\ntimeout = nan", "understanding.timeout: nan cannot be. Give up to 5 seconds"),
        ("[integrations.Store]\nredirects = -1", "redirects is -1: it must lie between 0 and 5"),
        ("[integrations.Store]\nsuccess = []", "success is empty: no answer could ever be a success"),
        ("[integrations.Store]\nsuccess = ['20x']", "success has '20x': it takes statuses from 200 to 999 and 2xx"),
        ("[integrations.Store]\nsuccess = [true]", "integrations.Store.success[0]: expected 'int | str', got 'bool'"),
        ("[integrations.Store]\nsuccess = ['2xx', '3xx']", "success has 301, and redirects are followed"),
        (
            "[integrations.Store]\nretry_on = ['sometimes']",
            "retry_on has 'sometimes': it takes statuses from 200 to 999",
        ),
        (
            "[integrations.Store]\nsuccess = ['2xx']\nretry_on = [202, '5xx']",
            "202 stands in success and in retry_on: a success is never repeated",
        ),
        ("[integrations.Store]\nretry_on = []", "nothing is ever repeated, which retries = 0 says"),
        ("[integrations.Store]\nbackoff = 9", "backoff is 9.0: it must not exceed backoff_max"),
        (
            "[integrations.Store]\nattempt_timeout = 2\nconnect_timeout = 3",
            "connect_timeout is 3.0: it must not exceed attempt_timeout",
        ),
    ],
)
def test_a_bad_manifest_names_file_key_and_remedy(manifest: str, message: str) -> None:
    with pytest.raises(BotError) as raised:
        with_manifest(manifest)
    assert str(raised.value).startswith("bot.botlane.toml: ")
    assert message in str(raised.value)
    assert raised.value.remedy


def policy_of(manifest: str) -> Policy:
    (made,) = with_manifest(f"[integrations.Store]\n{manifest}").integrations.values()
    return made.policy


def test_statuses_may_be_written_by_their_first_digit() -> None:
    policy = policy_of("success = ['2xx', 304]\nretry_on = [429, '5XX', 'timeout', 503]")
    assert policy.success == (*range(200, 300), 304)
    assert policy.retry_on == (429, *range(500, 600), "timeout")


def test_limits_that_are_not_set_give_way_to_those_that_are() -> None:
    assert policy_of("total_timeout = 2").connect_timeout == 2
    assert policy_of("attempt_timeout = 1.5").connect_timeout == 1.5
    assert policy_of("backoff_max = 0.1").backoff == 0.1


def test_intents_entities_and_an_endpoint_are_read() -> None:
    understanding = with_manifest("""
        [intents."track order"]
        phrases = ["where is my order"]
        [entities.SIZE]
        values = ["small~10", "large"]
        patterns = ["size ([0-9]+)"]
        [understanding]
        url = "https://nlu.example.com/model/parse"
        timeout = 0.5
    """).understanding
    assert understanding.intents["track order"].phrases == ("where is my order",)
    assert understanding.entities["SIZE"].values == ("small~10", "large")
    assert (understanding.url, understanding.timeout) == ("https://nlu.example.com/model/parse", 0.5)


def test_a_mail_server_is_where_mails_go_in_whose_name_and_with_which_credential() -> None:
    mail = integration("Mail", integrationType="EMAIL", webhook="{{url}}", method="GET")
    manifest = """
        [email]
        smtp = "smtps://mail.example.com"
        sender = "Shop <bot@example.com>"
        credential = "mail"
        [credentials.mail]
        type = "basic"
        username = "bot"
        password = { env = "P" }
    """
    (made,) = bot(dialog("D", text("a")), integrations=(mail,), manifest=manifest).integrations.values()
    assert (made.url.source, made.method, made.sender) == ("smtps://mail.example.com", "POST", "Shop <bot@example.com>")
    assert (made.credential, made.uncallable) == ("mail", "")


def test_an_integration_says_why_it_cannot_be_called() -> None:
    kinds = [integration(kind, integrationType=kind) for kind in ("EMAIL", "FAAS", "KB", "FILE", "API")]
    made = bot(dialog("D", text("a")), integrations=tuple(kinds)).integrations.values()
    assert [one.uncallable for one in made] == [
        "the manifest names no mail server ([email] smtp)",
        "integrations of type FAAS cannot be called yet",
        "integrations of type KB cannot be called yet",
        "integrations of type FILE cannot be called yet",
        "",
    ]


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("smtp = 'http://mail.example.com'", "email.smtp: it is no smtp, smtps or smtp+plain address of a host"),
        ("smtp = 'smtp://'", "email.smtp: it is no smtp, smtps or smtp+plain address of a host"),
        ("smtp = 'smtp://user:secret@mail.example.com'", "email.smtp: it is no smtp, smtps or smtp+plain address"),
        ("smtp = 'smtp://mail.example.com:0'", "email.smtp: it is no smtp, smtps or smtp+plain address of a host"),
        ("smtp = 'smtp://mail.example.com:x'", "email.smtp: it is no smtp, smtps or smtp+plain address of a host"),
        ("sender = 'bot@example.com'", "email.smtp: there is none. Name the mail server, or leave the table out"),
        ("smtp = 'smtp://a'\nsender = 'bot'", "email.sender: it is no address that mail can come from"),
        ("smtp = 'smtp://a'\nsender = \"a@b.example\\nBcc: c@d\"", "email.sender: it is no address"),
        ("smtp = 'smtp://a'\ncredential = 'crm'", "email.credential: there is no [credentials.crm] of type basic"),
        (
            "smpt = 'smtp://a'",
            "email: object contains unknown field 'smpt'. The keys there are: smtp, sender, credential",
        ),
    ],
)
def test_a_mail_server_that_cannot_be_is_refused(email: str, message: str) -> None:
    with pytest.raises(BotError) as raised:
        with_manifest(f"[email]\n{email}")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("[integrations.Store]\nconcurrency = 0", "integrations.Store.concurrency: 0 cannot be. Give 1 to 10000"),
        ('[integrations.Store]\nrate = "fast"', "integrations.Store.rate: 'fast' is no rate. Write it like \"20/s\""),
        ('[integrations.Store]\nrate = "0/s"', "integrations.Store.rate: '0/s' is not between 1 and 10000"),
        ("[integrations.Store.breaker]\nx = 1", "unknown field 'x'. The keys there are: failures, share, window, open"),
        ("[integrations.Store]\nbreaker = { share = nan }", "integrations.Store.breaker.share: nan is no share"),
        ('[integrations.Store]\nbreaker = { open = "2h" }', "integrations.Store.breaker.open: '2h' is not between 100ms"),
        ('[hosts."https://x.example.com"]\nrate = "1/s"', "hosts.https://x.example.com: 'https://x.example.com' is no host"),
        ('[hosts."a.example.com"]\n[hosts."A.example.com"]\n', "hosts.A.example.com: it is the same host as 'a.example.com'"),
        ('[egress]\nallow = ["https://a.example.com"]', "egress.allow: 'https://a.example.com' is no host"),
        ('[egress]\nallow = ["*"]', "egress.allow: '*' allows every host. Leave allow out"),
        ('[hosts."*"]\nproxy = "proxy:3128"', "hosts.*.proxy: it is no address of a proxy. Write it like"),
        ('[hosts."*"]\nproxy = "https://proxy:3128"', "hosts.*.proxy: it is no address of a proxy"),
        ('[hosts."*"]\nproxy = "http://me:word@proxy"', "hosts.*.proxy: user and password stand in the address"),
        ('[hosts."*"]\nproxy = { url = "http://proxy", username = "me" }', "username and password go together"),
        ('[hosts."*"]\nproxy = { url = "http://proxy", password = "x" }', "hosts.*.proxy"),
        ('[hosts."a.example.com"]\nrate = "1/d"', "hosts.a.example.com.rate: '1/d' is no rate"),
    ],
)  # fmt: skip
def test_limits_that_cannot_be_carried_out_are_refused(manifest: str, message: str) -> None:
    with pytest.raises(BotError) as raised:
        with_manifest(manifest)
    assert message in str(raised.value)


def test_limits_of_integrations_and_hosts_are_read() -> None:
    loaded = with_manifest("""
        [integrations.Store]
        concurrency = 5
        rate = "20/s"
        breaker = {}
        [hosts."API.example.com:8443"]
        rate = "300/m"
    """)
    limits = Protection(5, Rate(20, 1000), Breaker(5, 0.5, 30_000, 30_000))
    assert loaded.integrations[id_of("integration:Store")].protection == limits
    assert loaded.hosts == {"api.example.com:8443": Protection(rate=Rate(300, 60_000))}
    assert not with_manifest("").integrations[id_of("integration:Store")].protection.limited


def test_the_ways_of_calls_are_read_in_one_form() -> None:
    egress = with_manifest("""
        [egress]
        allow = ["API.example.com", "*.example.org"]
        [hosts."*"]
        proxy = "http://proxy.example.com:3128"
        [hosts."api.example.com"]
        proxy = "direct"
    """).egress
    assert egress.allow == ("api.example.com", "*.example.org")
    assert egress.allows("https://api.example.com/x")
    assert not egress.allows("https://example.org/x")
    assert egress.proxy("https://a.example.org/") == Proxy("http://proxy.example.com:3128")
    assert egress.proxy("https://api.example.com/") is None
    assert with_manifest("").egress.allows("https://anywhere.example.net")


def test_variables_that_are_looked_up_are_read_with_their_accounts() -> None:
    loaded = with_manifest("""
        [environment]
        lp = 12345678
        a = { domain = "msgHist", account = "777" }
        b = { domain = "sentinel", account = "{$env.lp}" }
        c = { domain = "idp" }
    """)
    assert loaded.environment == {"lp": "12345678"}
    assert loaded.domains == {
        "a": Domain("msgHist", "777"),
        "b": Domain("sentinel", "12345678"),
        "c": Domain("idp", ""),
    }


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            '{ service = "msgHist" }',
            "environment.x: object contains unknown field 'service'. The keys there are: domain",
        ),
        ("{ }", "environment.x: object missing required field 'domain'"),
        ("[1]", "environment.x: expected"),
        ('{ domain = "a/b" }', "environment.x.domain: 'a/b' is no service. Name one"),
        ('{ domain = "idp", account = "a b" }', "environment.x.account: it is no account. Give its number"),
        ('{ domain = "idp", account = "{$env.none}" }', "environment.x.account: there is no value of none"),
        ('{ domain = "idp", account = "{$env.x}" }', "environment.x.account: there is no value of x"),
    ],
)
def test_variables_that_cannot_be_looked_up_are_refused(variable: str, message: str) -> None:
    with pytest.raises(BotError) as raised:
        with_manifest(f"[environment]\nx = {variable}")
    assert message in str(raised.value)
