"""From paths to scenarios: finds the test files, reads them with what they include, lays fixtures over each other."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from services.tester.marked import Marked, Place, SuiteError, read_marked
from services.tester.step_reading import read_step
from services.tester.stub_reading import read_stubs, texts
from services.tester.suite import Profile, Scenario, Setting

ENDINGS = (".test.yaml", ".test.yml")
_FILE = ("bot", "manifest", "include", "fixtures", "tests", "test_cases")
_CASE = ("test_case", "fixtures", "variables", "environment", "profile", "stubs", "steps")
_SETTING = ("variables", "environment", "profile", "stubs")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Return the test files named by paths or lying in folders, in order. Raises SuiteError when there are none."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.name.endswith(ENDINGS))
            if not inside:
                raise SuiteError(str(path), "there are no test files in this folder", "Name them NAME.test.yaml")
            found |= dict.fromkeys(inside)
        elif path.suffix == ".json" and path.exists():
            raise SuiteError(str(path), "this is no test file", "Give a NAME.test.yaml; --record writes one for a bot")
        elif path.exists():
            found[path] = None
        else:
            raise SuiteError(str(path), "there is no such file or folder", "Give a test file or a folder that has some")
    return list(found)


def read_suite(path: Path, environ: Mapping[str, str]) -> list[Scenario]:
    """Read the scenarios of one file; `environ` is what `${NAME}` in paths stands for. Raises SuiteError."""
    file = read_marked(path)
    keys = file.keys("a test file", _FILE)
    if "bot" not in keys:
        file.fail("the file names no bot", "Begin it with `bot: PATH`, relative to the file")
    bot = _path(keys["bot"], path, environ)
    manifest = _path(keys["manifest"], path, environ) if "manifest" in keys else None
    fixtures = _fixtures(keys, path, environ, seen=[path.resolve()])
    cases = keys.get("tests") or keys.get("test_cases")
    if cases is None:
        file.fail("the file has no tests", "Write them as a list below `tests:`")
    scenarios: dict[str, Scenario] = {}
    for case in cases.items("tests"):
        scenario = _scenario(case, fixtures, bot, manifest)
        if scenario.name in scenarios:
            first = scenarios[scenario.name].place
            raise SuiteError(
                case.place, f"{scenario.name!r} is the name of the test in line {first.line}", "Rename one"
            )
        scenarios[scenario.name] = scenario
    return list(scenarios.values())


def _path(value: Marked, beside: Path, environ: Mapping[str, str]) -> Path:
    """Return a path relative to its file, with the variables in it filled in."""

    def fill(found: re.Match[str]) -> str:
        if not environ.get(found[1]):
            value.fail(f"the variable {found[1]} is not set", "Set it in the environment")
        return environ[found[1]]

    return beside.parent / Path(_VARIABLE.sub(fill, value.text("a path"))).expanduser()


def _fixtures(
    keys: Mapping[str, Marked], path: Path, environ: Mapping[str, str], seen: list[Path]
) -> dict[str, Setting]:
    """Return the fixtures by name, those of included files first: a file may replace what it includes."""
    found: dict[str, Setting] = {}
    if "include" in keys:
        listed = keys["include"].items("include") if keys["include"].is_list else [keys["include"]]
        for one in listed:
            other = _path(one, path, environ)
            if other.resolve() in seen:
                one.fail("the file includes itself", "Take one of the includes out")
            if not other.is_file():
                one.fail(f"there is no file {other}", "Give a path relative to this file")
            marked = read_marked(other)
            inner = marked.keys("an included file", ("include", "fixtures"))
            found |= _fixtures(inner, other, environ, [*seen, other.resolve()])
    if "fixtures" in keys:
        for name, _, value in keys["fixtures"].entries("fixtures"):
            found[name] = _setting(value.keys(f"the fixture {name!r}", _SETTING))
    return found


def _setting(keys: Mapping[str, Marked]) -> Setting:
    profile = keys["profile"].keys("profile", Profile.__struct_fields__) if "profile" in keys else {}
    values = {name: one.plain() for name, one in profile.items()}
    try:
        msgspec.convert(values, Profile)
    except msgspec.ValidationError as error:
        keys["profile"].fail(str(error).replace("`", "'"), "See docs/testing.md for what a profile holds")
    variables = keys["variables"].plain() if "variables" in keys else {}
    if not isinstance(variables, dict):
        keys["variables"].fail("variables have to be a mapping", "Write `variables: {name: value}`")
    return Setting(
        variables=variables,
        environment=texts(keys["environment"], "environment") if "environment" in keys else {},
        profile=values,
        stubs=read_stubs(keys["stubs"]) if "stubs" in keys else {},
    )


def _scenario(case: Marked, fixtures: Mapping[str, Setting], bot: Path, manifest: Path | None) -> Scenario:
    keys = case.keys("a test", _CASE)
    for needed, remedy in (("test_case", "Begin it with `- test_case: NAME`"), ("steps", "Add `steps:` with a list")):
        if needed not in keys:
            case.fail(f"the test has no {needed!r}", remedy)
    setting = Setting()
    if "fixtures" in keys:
        for one in keys["fixtures"].items("fixtures"):
            name = one.text("a fixture")
            if name not in fixtures:
                known = ", ".join(fixtures) or "none are defined"
                one.fail(f"there is no fixture {name!r}", f"Fixtures are: {known}")
            setting = fixtures[name].over(setting)
    own = _setting({name: value for name, value in keys.items() if name in _SETTING})
    steps = tuple(read_step(one) for one in keys["steps"].items("steps"))
    name = keys["test_case"].text("test_case")
    place = Place(case.place.file, case.place.line)
    return Scenario(place, name, bot, manifest, own.over(setting), steps)
