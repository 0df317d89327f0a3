"""Templates: what is a placeholder, and what stays as it is (CB: reference/scripting.md 4)."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bot.templates import Placeholder, compile_template


@pytest.mark.parametrize(
    ("source", "kind", "name"),
    [
        ("{$botContext.x}", "variable", "x"),
        ("{$botcontext.x}", "variable", "x"),
        ("{$botContext.slot.Pizza Size}", "variable", "slot.Pizza Size"),
        ("{$botContext.Store.name}", "variable", "Store.name"),
        ("{$env.baseUrl}", "environment", "baseUrl"),
        ("{$.api_X.list[0].a}", "path", "api_X.list[0].a"),
        ("{$.api_X.list[i].a}", "path", "api_X.list[i].a"),
        ("{$userMessage}", "system", "userMessage"),
        ("{$location.city}", "system", "location.city"),
        ("{Store Locator.name}", "field", "Store Locator.name"),
        ("{Store.name.count}", "field", "Store.name.count"),
    ],
)
def test_a_placeholder_is_known_by_what_stands_between_its_braces(source: str, kind: str, name: str) -> None:
    template = compile_template(f"a {source} b")
    assert template.parts == ("a ", Placeholder(kind, name, source[1:-1]), " b")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "plain",
        "{",
        "}",
        "{}",
        "{a}",
        '{"a":"b.c"}',
        "{$}",
        "{$botContext.}",
        "{ Store.name }",
        "{a: b.c}",
        "{{file_url}}",
        "{{url}}",
        "{\n$userMessage}",
    ],
)
def test_other_braces_stay_as_they_are(source: str) -> None:
    template = compile_template(source)
    assert template.parts == (source,)
    assert template.render(lambda _: "!") == source


def test_a_placeholder_inside_json_is_found() -> None:
    template = compile_template('{"a":"{$botContext.x}","b":{$botContext.y}}')
    assert template.render(lambda hole: hole.name) == '{"a":"x","b":y}'


_NAMES = st.text(string.ascii_letters, min_size=1, max_size=8)
_HOLES = st.one_of(
    _NAMES.map("{{$botContext.{}}}".format),
    _NAMES.map("{{$env.{}}}".format),
    _NAMES.map("{{$.api_{}}}".format),
    st.tuples(_NAMES, _NAMES).map(lambda names: "{" + ".".join(names) + "}"),
)


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_no_text_is_lost(source: str) -> None:
    template = compile_template(source)
    assert template.render(lambda hole: "{" + hole.expression + "}") == source


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.text(st.characters(exclude_characters="{}"), max_size=6), _HOLES), max_size=5),
    st.text(st.characters(exclude_characters="{}")),
)
def test_literal_text_survives_around_every_placeholder(pieces: list[tuple[str, str]], tail: str) -> None:
    template = compile_template("".join(literal + hole for literal, hole in pieces) + tail)
    assert ["{" + hole.expression + "}" for hole in template.placeholders] == [hole for _, hole in pieces]
    assert template.render(lambda _: "") == "".join(literal for literal, _ in pieces) + tail


_PIECES = st.sampled_from(
    [
        *"{}$.:,'\"\n [i0]",
        "a",
        "Store",
        "Store.name",
        "api_A",
        "$botContext.",
        "$BOTCONTEXT.",
        "$env.",
        "$.",
        "$userMessage",
    ]
)


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(_PIECES, max_size=14).map("".join) | st.lists(_PIECES, max_size=6).map(lambda made: f"{{{''.join(made)}}}")
)
def test_every_text_is_taken_apart_as_reading_it_brace_by_brace_would(source: str) -> None:
    assert [(hole.kind, hole.name) for hole in compile_template(source).placeholders] == _by_reading(source)


def _by_reading(source: str) -> list[tuple[str, str]]:
    """List the placeholders of a text: look at every pair of braces that holds none, and ask what stands inside."""
    found = []
    for start, character in enumerate(source):
        end = source.find("}", start)
        inside = source[start + 1 : end]
        if character == "{" and end > 0 and "{" not in inside:
            kind = _kind_of(inside)
            found += [kind] if kind is not None else []
    return found


def _kind_of(inside: str) -> tuple[str, str] | None:
    letters, digits = set(string.ascii_letters), set(string.ascii_letters + string.digits + "_")
    for prefix, kind in (("$botcontext.", "variable"), ("$env.", "environment"), ("$.", "path")):
        rest = inside[len(prefix) :]
        if inside.lower().startswith(prefix) and "\n" not in rest:
            begins = rest[:1] in letters | {"_"} if kind == "path" else rest[:1].strip() != ""
            if begins and rest:
                return kind, rest.strip()
    if inside.startswith("$"):
        name, dot, more = inside[1:].partition(".")
        word = name[:1] in letters and set(name) <= digits
        rest_fits = set(more) <= letters and more != "" if dot else True
        return ("system", inside[1:]) if name and word and rest_fits else None
    if set(inside) & set("\n\"',:$") or inside[:1] not in letters | {"_"}:
        return None
    places = [at for at, character in enumerate(inside) if character == "." and at > 0]
    return (
        ("field", inside.strip())
        if any(inside[at + 1 : at + 2] in letters | {"_"} for at in places if inside[at + 1 :])
        else None
    )


def test_no_text_stalls_the_compiling() -> None:
    for source in ("{" + "a." * 50_000, "{" * 100_000, "{$botContext." * 10_000, "{a" * 50_000):
        assert compile_template(source).parts == (source,)
