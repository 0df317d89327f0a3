"""Test files: what can be written, and what is said of mistakes."""

from pathlib import Path

import pytest

from services.tester.marked import SuiteError
from services.tester.reading import find_files, read_suite
from services.tester.suite import BotStep, UserStep
from tests.unit.tester.writing import scenarios, write

MISTAKES = [
    ("test: []", r"one.test.yaml:2: a test file has no key 'test'. Did you mean 'tests'\?"),
    ("tests: {}", r":2: tests has to be a list"),
    ("tests:\n- steps: []", r":3: the test has no 'test_case'"),
    ("tests:\n- test_case: a", r":3: the test has no 'steps'"),
    ("tests:\n- {test_case: a, steps: []}\n- {test_case: a, steps: []}", r":4: 'a' is the name of the test in line 3"),
    (
        "tests:\n- test_case: a\n  steps:\n  - utter: hi",
        r":5: a step has no key 'utter'. Write `bot: {interaction: NAME}`",
    ),
    ("tests:\n- test_case: a\n  steps:\n  - {user: a, bot: b}", r":5: a step has one key, this one has 2"),
    ("tests:\n- test_case: a\n  steps:\n  - user: {txt: a}", r":5: user has no key 'txt'. Did you mean 'text'\?"),
    (
        "tests:\n- test_case: a\n  steps:\n  - user: {text: a, tap: 1}",
        r":5: a message has either a text, a tap or a starter",
    ),
    ("tests:\n- test_case: a\n  steps:\n  - user: {tap: 0}", r":5: there is no control number 0"),
    ("tests:\n- test_case: a\n  steps:\n  - bot:", r":5: the step says nothing about the bot"),
    ("tests:\n- test_case: a\n  steps:\n  - bot: {matches: '['}", r":5: this is no regular expression"),
    ("tests:\n- test_case: a\n  steps:\n  - advance: soon", r":5: 'soon' is not a duration"),
    ("tests:\n- test_case: a\n  steps:\n  - nothing: false", r":5: `nothing: false` says nothing"),
    ("tests:\n- test_case: a\n  steps:\n  - variables: 1", r":5: variables have to be a mapping"),
    (
        "tests:\n- test_case: a\n  fixtures: [b]\n  steps: []",
        r":4: there is no fixture 'b'. Fixtures are: none are defined",
    ),
    ("fixtures:\n  a: {stub: {}}\ntests: []", r":3: the fixture 'a' has no key 'stub'. Did you mean 'stubs'\?"),
    (
        "fixtures:\n  a:\n    stubs:\n      S: {failure: tired}\ntests: []",
        r":5: 'tired' is no failure of a call. Failures are",
    ),
    ("fixtures:\n  a:\n    stubs:\n      S: {status: 99}\ntests: []", r":5: 99 is no HTTP status"),
    (
        "fixtures:\n  a:\n    stubs:\n      S: {status: 200, failure: lost}\ntests: []",
        r":5: a call that fails has no answer",
    ),
    ("fixtures:\n  a:\n    stubs:\n      S: []\ntests: []", r":5: the stub has no answers"),
    ("fixtures:\n  a:\n    profile: {channel: [1]}\ntests: []", r":4: Expected 'str'"),
    ("tests: []\ntests: []", r":3: the key 'tests' is given twice"),
    ("tests:\n- test_case: a\n  steps:\n  - variables: {a: !!bool abc}", r":5: the value is none that JSON has"),
    ("tests:\n- test_case: a\n  steps:\n  - variables: &a [*a]", r":5: the value is none that JSON has"),
    ("tests:\n- test_case: a\n  <<: 3\n  steps: []", r":3: what `<<` takes in is no mapping"),
    ("tests: " + "[" * 2000, r"this is not YAML"),
    ("tests: [", r":2: this is not YAML"),
    ("include: other.yaml\ntests: []", r":2: there is no file .*other.yaml"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_is_named_with_file_line_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SuiteError, match=said) as caught:
        read_suite(path, {})
    assert str(caught.value).startswith(str(path))


def test_words_that_yaml_takes_for_something_else_stay_words(tmp_path: Path) -> None:
    steps = "tests:\n- test_case: a\n  steps: [{user: no}, {user: 007}, {user: 2027-01-15}, {bot: yes}]"
    said = [one for one in scenarios(tmp_path, steps)[0].steps if isinstance(one, UserStep)]
    assert [step.messages[0].text for step in said] == ["no", "007", "2027-01-15"]
    assert scenarios(tmp_path, steps)[0].steps[3] == BotStep(scenarios(tmp_path, steps)[0].steps[3].place, text="yes")


def test_fixtures_are_laid_over_each_other_in_order_and_the_test_over_all(tmp_path: Path) -> None:
    text = """
        fixtures:
          a: {variables: {x: 1, y: 1, z: 1}, environment: {e: 1}}
          b: {variables: {y: 2, z: 2}}
        tests:
        - {test_case: one, fixtures: [a, b], variables: {z: 3}, steps: []}
    """
    setting = scenarios(tmp_path, text)[0].setting
    assert setting.variables == {"x": 1, "y": 2, "z": 3}
    assert setting.environment == {"e": "1"}


def test_fixtures_of_included_files_are_known_and_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("fixtures: {a: {variables: {x: 1}}, b: {variables: {x: 1}}}")
    text = """
        include: more.yaml
        fixtures: {b: {variables: {x: 2}}}
        tests:
        - {test_case: one, fixtures: [a], steps: []}
        - {test_case: two, fixtures: [b], steps: []}
    """
    assert [one.setting.variables["x"] for one in scenarios(tmp_path, text)] == [1, 2]


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("include: more.yaml")
    with pytest.raises(SuiteError, match=r"more.yaml:1: the file includes itself"):
        scenarios(tmp_path, "include: more.yaml\ntests: []")


def test_a_path_may_name_a_variable_of_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "one.test.yaml"
    path.write_text("bot: ${BOTS}/a.json\ntests:\n- {test_case: a, steps: []}")
    assert read_suite(path, {"BOTS": "/srv"})[0].bot == Path("/srv/a.json")
    with pytest.raises(SuiteError, match=r":1: the variable BOTS is not set"):
        read_suite(path, {})


def test_test_files_are_found_in_folders_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    one, other = write(tmp_path / "deep", "tests: []"), write(tmp_path, "tests: []", name="plain.yaml")
    assert find_files([tmp_path]) == [one]
    assert find_files([other, tmp_path, one]) == [other, one]
    with pytest.raises(SuiteError, match="there is no such file or folder"):
        find_files([tmp_path / "gone"])
    with pytest.raises(SuiteError, match=r"bot\.json: this is no test file\. Give a NAME\.test\.yaml"):
        find_files([write(tmp_path, "{}", name="bot.json")])
