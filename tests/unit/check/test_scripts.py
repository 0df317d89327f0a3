"""What is found in scripts."""

import contextlib

import pytest

from services.check.scripts import UNSUPPORTED
from shared.dialog.scripts import NeedContext, ScriptRef, ScriptState, Warn
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts
from shared.scripting.syntax import known_names
from tests.unit.check.findings import found, found_of, report
from tests.unit.dialog.bots import Part, dialog, integration, question, starter, text


def with_code(source: str, **more: str) -> Part:
    return dialog("Shop", starter("hi"), text("hello", pre=source, **more))


def test_a_bot_without_mistakes_has_no_findings() -> None:
    code = "var size = shared(botContext.getBotVariable('size')); botContext.sendMessage(size);"
    assert found(with_code(code), functions="function shared(x) { return String(x); }") == []


@pytest.mark.parametrize(
    ("panel", "title"),
    [("pre", "Pre-Process Code"), ("post", "Post-Process Code"), ("response", "Process User Response")],
)
def test_a_script_that_does_not_parse_is_named_with_line_and_column(panel: str, title: str) -> None:
    shop = dialog("Shop", starter("hi"), question("size", **{panel: "var a;\nvar b = ;"}))
    assert found_of("script-syntax", shop) == [f"Shop / size / {title} 2:9"]


def test_global_functions_and_transform_scripts_are_parsed_too() -> None:
    broken = integration("Store", script="x = (")
    places = found_of("script-syntax", with_code(""), integrations=(broken,), functions="function () {}")
    assert [place.rpartition(" ")[0] for place in places] == [
        "Integrations / Store / Transform Result Script",
        "Global Functions",
    ]


def test_nothing_more_is_said_of_a_script_that_does_not_parse() -> None:
    assert [code for code, _ in found(with_code("botContext.fly(); var = 1;"))] == ["script-syntax"]


@pytest.mark.parametrize("source", ["for each (var x in [1]) f(x)\nfunction f(x) {}", "if (true) return;", "a = 1"])
def test_what_only_conversation_builder_accepts_is_accepted(source: str) -> None:
    assert found(with_code(source)) == []


def test_a_function_that_bot_context_has_not_got_is_named_where_it_stands() -> None:
    code = "// botContext.fly()\nvar s = 'botContext.swim()';\n  botContext.getBotVariabel('x');"
    assert found_of("unknown-function", with_code(code)) == ["Shop / hello / Pre-Process Code 3:14"]


@pytest.mark.parametrize(
    "source", ["botContext.chatBotId", "botContext.addQuickReples(['a'])", "botContext['getChannel']()"]
)
def test_bean_properties_and_misspelt_names_of_old_are_known(source: str) -> None:
    assert found_of("unknown-function", with_code(source)) == []


def test_a_function_that_has_no_effect_here_is_a_warning() -> None:
    (finding,) = report(with_code("botContext.getSentiment()")).findings
    assert (finding.code, finding.level, finding.column) == ("unsupported-function", "warning", 12)


def test_the_functions_without_effect_are_those_that_say_so_when_they_run() -> None:
    said = set()
    for name in known_names().functions:
        scripts = QuickJsScripts("", Limits())
        with contextlib.suppress(NeedContext):
            outcome = scripts.run(
                ScriptRef(1, "x", "pre"), f"botContext.{name}()", ScriptState(now=0, seed=0, variables={})
            )
            said |= {
                name for effect in outcome.effects if isinstance(effect, Warn) and effect.code == "unsupported-function"
            }
    assert said == UNSUPPORTED


def test_a_function_nobody_declares_is_named() -> None:
    assert found_of(
        "undefined-function", with_code("if (1) {\n  trial('x');\n}"), functions="function trail(x) {}"
    ) == ["Shop / hello / Pre-Process Code 2:3"]


@pytest.mark.parametrize(
    "source",
    [
        "parseInt('1')",
        "later(); function later() {}",
        "var f = function () {}; f()",
        "g = function () {}; g()",
        "[1].map(function (h) { return h(); })",
        "if (typeof maybe === 'function') maybe();",
        "new Date(); new Error('x')",
        "shared()",
        "this.f = function () {}; f()",
        "var o = {method(x) { return x; }}; o.method(1)",
    ],
)
def test_functions_that_are_there_are_not_named(source: str) -> None:
    assert found_of("undefined-function", with_code(source), functions="var shared = function () {};") == []


@pytest.mark.parametrize("name", ["java.util.HashMap()", "XMLHttpRequest()", "setTimeout(f, 1)", "console.log(1)"])
def test_names_of_other_worlds_are_named_once(name: str) -> None:
    assert found(with_code(f"var f = 1; var x = new {name};")) == [("foreign-name", "Shop / hello / Pre-Process Code")]


def test_a_name_of_another_world_that_the_author_declares_is_theirs() -> None:
    assert found(with_code("console.log(1)"), functions="var console = {log: function (x) {}};") == []


def test_a_trigger_with_an_unknown_name_is_a_warning_that_names_one_alike() -> None:
    shop = dialog("Shop", starter("hi"), text("view_cart", pre="\n botContext.setTriggerNextMessage('View cart');"))
    (finding,) = report(shop).findings
    assert (finding.code, finding.level, finding.line, finding.column) == ("dangling-name", "warning", 2, 13)
    assert '"view_cart"' in finding.note


@pytest.mark.parametrize("argument", ["'hello'", "'platform.default'", "'un' + 'known'", "null", "''"])
def test_triggers_that_are_known_or_put_together_are_not_named(argument: str) -> None:
    assert found_of("dangling-name", with_code(f"botContext.setTriggerNextMessage({argument})")) == []


def test_an_environment_variable_that_the_manifest_does_not_give_is_an_error() -> None:
    shop = with_code("var a = botContext.getEnvVariable('given');\nvar b = botContext.getEnvVariable('missing');")
    manifest = '[environment]\ngiven = "1"'
    assert found_of("missing-environment-variable", shop, manifest=manifest) == ["Shop / hello / Pre-Process Code 2:20"]
    assert report(shop, manifest=manifest).count("error") == 1


def test_an_environment_variable_that_nothing_reads_is_an_info() -> None:
    manifest = '[environment]\nread = "1"\nshown = "2"\nstoer = "3"\nsystem_intermediateBotMessage = "x"'
    shop = dialog("Shop", starter("hi"), text("a", "{$env.shown}", pre="botContext.getEnvVariable('read')"))
    (finding,) = report(shop, manifest=manifest).findings
    assert (finding.code, finding.level, finding.place) == (
        "unused-environment-variable",
        "info",
        "manifest: environment.stoer",
    )


def test_any_environment_variable_may_be_read_where_scripts_put_names_together() -> None:
    assert found(with_code("botContext.getEnvVariable('a' + 1)"), manifest='[environment]\na1 = "x"') == []


def test_a_variable_that_is_looked_up_is_known_and_a_service_that_is_not_is_a_warning() -> None:
    shop = dialog("Shop", starter("hi"), text("a", "{$env.history}{$env.tokens}"))
    manifest = '[environment]\nhistory = { domain = "msghist" }\ntokens = { domain = "sentinel" }'
    (finding,) = report(shop, manifest=manifest).findings
    assert (finding.code, finding.level, finding.place) == (
        "unknown-service",
        "warning",
        "manifest: environment.history",
    )
    assert "is msgHist meant?" in finding.note
