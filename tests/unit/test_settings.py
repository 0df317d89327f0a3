from pathlib import Path

import pytest

from services.settings import SETTINGS, Settings, SettingsError, environment, read_settings

SECRET = "s" * 32


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_an_empty_variable_counts_as_unset() -> None:
    assert read_settings({"BOTLANE_PORT": " "}) == Settings()


def test_every_field_has_one_variable() -> None:
    assert sorted(setting.field for setting in SETTINGS) == sorted(Settings.__struct_fields__)
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)


def test_several_secrets_are_listed_with_the_signing_one_first() -> None:
    assert read_settings({"BOTLANE_SECRET": f"{'n' * 32}, {SECRET}\n"}).secrets == ("n" * 32, SECRET)


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    assert read_settings({"BOTLANE_SECRET_FILE": str(file)}).secrets == (SECRET,)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BOTLANE_SECRET and BOTLANE_SECRET_FILE are both set"):
        read_settings({"BOTLANE_SECRET": SECRET, "BOTLANE_SECRET_FILE": str(tmp_path)})


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"BOTLANE_SECRET_FILE names .*missing, which cannot be read"):
        read_settings({"BOTLANE_SECRET_FILE": str(tmp_path / "missing")})


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="BOTLANE_SECRET cannot be used") as refused:
        read_settings({"BOTLANE_SECRET": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_channel_keys_are_named_pairs() -> None:
    keys = read_settings({"BOTLANE_CHANNEL_KEYS": f"web={SECRET}=,sms={'k' * 16}"}).channel_keys
    assert keys == {"web": f"{SECRET}=", "sms": "k" * 16}


@pytest.mark.parametrize("pairs", ["web", "=kkkkkkkkkkkkkkkkkkkk", "web=short", f"web={SECRET},web={SECRET}"])
def test_channel_keys_without_name_or_key_or_named_twice_are_refused(pairs: str) -> None:
    with pytest.raises(SettingsError, match="BOTLANE_CHANNEL_KEYS"):
        read_settings({"BOTLANE_CHANNEL_KEYS": pairs})


def test_rewrites_are_pairs_of_addresses() -> None:
    pairs = "https://api.example.com=http://127.0.0.1:9000 http://a.example/x?q=1=https://b.example/y"
    assert read_settings({"BOTLANE_REWRITE_URLS": pairs}).rewrite_urls == (
        ("https://api.example.com", "http://127.0.0.1:9000"),
        ("http://a.example/x?q=1", "https://b.example/y"),
    )


def test_origins_are_taken_as_browsers_write_them() -> None:
    listed = "https://A.example/, https://b.example:443,http://b.example:443,http://[::1]:80/,app://shop,null,*"
    for name, field in (("BOTLANE_WEB_VIEW_ORIGINS", "web_view_origins"), ("BOTLANE_CORS_ORIGINS", "cors_origins")):
        assert getattr(read_settings({name: listed}), field) == (
            "https://a.example",
            "https://b.example",
            "http://b.example:443",
            "http://[::1]",
            "app://shop",
            "null",
            "*",
        )


@pytest.mark.parametrize(("text", "size"), [("8192", 8192), ("8k", 8192), (" 8K", 8192), ("1m", 1024**2)])
def test_sizes_take_a_unit(text: str, size: int) -> None:
    assert read_settings({"BOTLANE_WEB_VIEW_BODY": text}).web_view_body == size


@pytest.mark.parametrize("text", ["0", "3m", "8kb", "-8", "k"])
def test_a_size_that_cannot_be_used_is_told_its_bounds(text: str) -> None:
    with pytest.raises(SettingsError, match=r"BOTLANE_WEB_VIEW_BODY .* from 1024 to 2097152"):
        read_settings({"BOTLANE_WEB_VIEW_BODY": text})


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800)])
def test_durations_take_a_unit(text: str, seconds: int) -> None:
    assert read_settings({"BOTLANE_TRACE_TTL": text}).trace_ttl == seconds


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BOTLANE_PORT", "http"),
        ("BOTLANE_PORT", "65536"),
        ("BOTLANE_OPS", "9090"),
        ("BOTLANE_OPS", "localhost:99999"),
        ("BOTLANE_CONSOLE", "perhaps"),
        ("BOTLANE_TRACE_TTL", "0"),
        ("BOTLANE_TRACE_TTL", "1 week"),
        ("BOTLANE_SCRIPT_SECONDS", "nan"),
        ("BOTLANE_SCRIPT_SECONDS", "6"),
        ("BOTLANE_LOG_FORMAT", "xml"),
        ("BOTLANE_DURABILITY", "paranoid"),
        ("BOTLANE_REWRITE_URLS", "api.example.com=127.0.0.1"),
        ("BOTLANE_WEB_VIEW_ORIGINS", "forms.example"),
        ("BOTLANE_WEB_VIEW_ORIGINS", "https://forms.example/booking"),
        ("BOTLANE_WEB_VIEW_ORIGINS", "https://a.example https://b.example"),
        ("BOTLANE_CORS_ORIGINS", "https://größe.example"),
        ("BOTLANE_CORS_ORIGINS", "https://*.example"),
    ],
)
def test_a_value_that_cannot_be_used_is_shown_with_what_to_give(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable} is .* cannot be used: give it .+") as refused:
        read_settings({variable: value})
    assert value in str(refused.value)


@pytest.mark.parametrize(
    "address", ["http://user:hunter2@host", "redis://:hunter2@host:port", "redis://:hunter2@host?socket_timeout=soon"]
)
def test_an_address_of_redis_is_not_shown_because_it_may_hold_a_password(address: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({"BOTLANE_REDIS_URL": address})
    assert "hunter2" not in str(refused.value)
    assert "redis://" in str(refused.value)


@pytest.mark.parametrize(
    ("address", "mend"),
    [
        ("redis+sentinel://:hunter2@a,b,c", "the name that the sentinels monitor"),
        ("redis+sentinel://:hunter2@a:99999,b/bots", "each sentinel as `host` or `host:port`"),
        ("redis+sentinel://:hunter2@/bots", "each sentinel as `host` or `host:port`"),
        ("redis+sentinel://hunter2@a/bots", "`:password@` when there is no user"),
        ("redis+sentinel://:hunter2@a/bots/zero", "a number as database"),
        ("redis+sentinel://:hunter2@a/bots?password=hunter2", "not password"),
        ("redis+sentinel://:hunter2@a@b/bots", "an address like redis+sentinel://"),
    ],
)
def test_an_address_of_sentinels_that_cannot_be_used_is_told_what_it_lacks_and_not_its_password(
    address: str, mend: str
) -> None:
    with pytest.raises(SettingsError, match="BOTLANE_REDIS_URL cannot be used: give it ") as refused:
        read_settings({"BOTLANE_REDIS_URL": address})
    assert mend in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_misspelt_setting_is_an_error_that_names_the_right_one() -> None:
    with pytest.raises(SettingsError, match="BOTLANE_CHANEL_KEYS is not a setting: did you mean BOTLANE_CHANNEL_KEYS"):
        read_settings({"BOTLANE_CHANEL_KEYS": "x"})


@pytest.mark.parametrize("variable", ["BOTLANE_SERVICE_HOST", "BOTLANE_CORPUS", "BOTLANE_SERVICE_PORT_HTTP", "PORT"])
def test_variables_of_others_are_left_alone(variable: str) -> None:
    assert read_settings({variable: "x"}) == Settings()


def test_a_child_reads_exactly_the_settings_it_was_given() -> None:
    settings = Settings(
        redis_url="unix:///tmp/v.sock",
        secrets=(SECRET, "n" * 32),
        channel_keys={"web": SECRET},
        port=0,
        trusted_proxies=("10.0.0.0/8", "::1"),
        console=True,
        rewrite_urls=(("https://a.example", "http://127.0.0.1:1"), ("https://b.example", "http://127.0.0.1:2")),
        script_seconds=2.5,
        completion_wait=1.5,
        log_format="console",
    )
    assert read_settings(environment(settings)) == settings
