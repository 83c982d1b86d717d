"""A new engineer finds the place of a thing, mostly by guessing its file's name."""

import json
import re
from pathlib import Path

import pytest

from ops.home import ROOT

QUESTIONS: dict[str, str] = json.loads(
    (Path(__file__).parent / "questions.json").read_text(encoding="utf-8")
)
MIN_QUESTIONS = 30


def _words(text: str) -> set[str]:
    """Return the words of a text, without a plural's s."""
    return {word.removesuffix("s") for word in re.findall(r"[a-z]{3,}", text.lower())}


def _is_guessable(question: str, answer: str) -> bool:
    return bool(_words(question) & _words(Path(answer).stem.replace("_", " ")))


@pytest.mark.parametrize("question", QUESTIONS)
def test_answer_exists(question: str) -> None:
    assert (ROOT / QUESTIONS[question]).exists()


def test_each_question_has_an_answer_of_its_own() -> None:
    assert len(QUESTIONS) >= MIN_QUESTIONS
    assert len(set(QUESTIONS.values())) == len(QUESTIONS)


def test_half_of_the_answers_share_a_word_with_their_question() -> None:
    guessable = [each for each in QUESTIONS if _is_guessable(each, QUESTIONS[each])]
    assert len(guessable) * 2 >= len(QUESTIONS)


def test_a_name_without_a_word_of_the_question_is_not_guessable() -> None:
    assert _is_guessable("Where are tokens verified?", "backend/shared/web/security/tokens.py")
    assert not _is_guessable("Who reacts to an event?", "backend/shared/messaging/subscriptions.py")
