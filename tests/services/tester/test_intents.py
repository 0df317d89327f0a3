"""Texts mean what the manifest's phrases say, or what a test says they mean."""

from pathlib import Path

import pytest

from services.tester.batch import play_one
from services.tester.reading import read_suite

INTENT = "9a8cbe7b-e5b9-4987-b77c-1b374c3ac4a4"


@pytest.mark.parametrize(
    ("user", "heard"),
    [
        (f"{{text: anything at all, intents: {{{INTENT}: 0.95}}}}", "text_21"),
        (f"{{text: anything at all, intents: {{{INTENT}: 0.2}}}}", "fallback_starter"),
        ("test my knowledge please", "text_21"),
        ("the weather in Oslo", "fallback_starter"),
    ],
)
def test_an_intent_starts_its_dialog(tmp_path: Path, corpus: Path, user: str, heard: str) -> None:
    (tmp_path / "one.toml").write_text(f'[intents."{INTENT}"]\nphrases = ["test my knowledge", "give me a riddle"]\n')
    answer = "{json: [{question: Q, answer: a, category: {title: x}}]}"
    file = tmp_path / "one.test.yaml"
    file.write_text(
        f"bot: {corpus / 'get-bot-patterns.json'}\nmanifest: one.toml\ntests:\n- test_case: a\n"
        f"  stubs: {{jService: {answer}}}\n  steps: [{{user: {user}}}, {{bot: {{interaction: {heard}}}}}]\n"
    )
    failure = play_one(read_suite(file, {})[0]).played.failure
    assert failure is None or failure.sentence == "the bot says more than the test expects"
