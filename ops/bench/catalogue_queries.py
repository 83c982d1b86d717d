"""Known-item queries: texts a person might type who looks for one title, with errors."""

import csv
import io
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LANGUAGES = ("en", "en", "en", "de", "fr", "es")
_PREFIX = 0.6  # of the title
_MIN_TYPO, _MIN_PREFIX = 4, 8  # letters


@dataclass(frozen=True)
class Title:
    """A title that is looked for."""

    title: str
    authors: str
    isbn: str

    @property
    def main(self) -> str:
        """The title up to its first bracket or colon."""
        return re.sub(r"\s*[(:].*", "", self.title) or self.title

    @property
    def surname(self) -> str:
        return self.authors.split(",")[0].split()[-1]

    @property
    def key(self) -> tuple[str, str]:
        return key(self.title, self.authors)


Kind = Callable[[Title, random.Random], str | None]  # None when the title has no such query


def read(file: Path) -> list[Title]:
    """Read a CSV catalogue with the columns title, authors and isbn."""
    with file.open(encoding="utf-8", newline="") as content:
        return [
            Title(" ".join(row["title"].split()), row["authors"], row["isbn"])
            for row in csv.DictReader(content)
        ]


def fold(text: str) -> str:
    """Drop accents and case."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def normalize(text: str) -> str:
    """Return the words of a text."""
    return " ".join(re.sub(r"[\W_]+", " ", re.sub(r"['’`]", "", fold(text))).split())


def key(title: str, authors: str) -> tuple[str, str]:
    """Return main title and first author; a hit is right when they agree."""
    main = re.sub(r"\s*[(:].*", "", title) or title
    return normalize(main), normalize(authors.split(",", maxsplit=1)[0])


def queries(
    titles: Sequence[Title], kind: str, number: int, seed: int
) -> Iterator[tuple[str, Title]]:
    """Draw titles and make a query of this kind for each."""
    chance = random.Random(f"{seed} {kind}")  # noqa: S311 (repeatable, not secret)
    drawn = list(titles)
    chance.shuffle(drawn)
    made = 0
    for title in drawn:
        if made == number:
            return
        if query := KINDS[kind](title, chance):
            made += 1
            yield query, title


def _typo(word: str, chance: random.Random) -> str:
    """Drop, add, replace or swap letters once."""
    at, letter = chance.randrange(len(word)), chance.choice(_LETTERS)
    swap = min(at, len(word) - 2)
    return chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:swap] + word[swap + 1] + word[swap] + word[swap + 2 :],
        ]
    )


def _one_typo(title: Title, chance: random.Random) -> str | None:
    text = normalize(title.main)
    word = max(text.split(), key=len, default="")
    return text.replace(word, _typo(word, chance), 1) if len(word) >= _MIN_TYPO else None


def _two_typos(title: Title, chance: random.Random) -> str | None:
    text = normalize(title.main)
    words = [word for word in sorted(set(text.split()), key=len)[-2:] if len(word) >= _MIN_TYPO]
    if len(words) < 2:  # noqa: PLR2004 (two typing errors)
        return None
    for word in words:
        text = text.replace(word, _typo(word, chance), 1)
    return text


def _surname_and_word(title: Title, chance: random.Random) -> str | None:
    surname = normalize(title.surname)
    words = [word for word in normalize(title.main).split() if len(word) >= _MIN_TYPO]
    if len(surname) < _MIN_TYPO or " " in surname or not words:
        return None
    return f"{_typo(surname, chance)} {chance.choice(words)}"


def _beginning(title: Title, _: random.Random) -> str | None:
    text = normalize(title.title)
    return text[: int(len(text) * _PREFIX)] if len(text) >= _MIN_PREFIX else None


def _joined(title: Title, _: random.Random) -> str | None:
    words = normalize(title.main).split()
    return " ".join(["".join(words[:2]), *words[2:]]) if len(words) > 1 else None


def _without_accents(title: Title, _: random.Random) -> str | None:
    if (title.title + title.authors).isascii():
        return None
    return fold(f"{title.main} {title.surname}")


KINDS: dict[str, Kind] = {
    "exact title": lambda title, _: title.title,
    "title + surname": lambda title, _: f"{title.main} {title.surname}",
    "one typo": _one_typo,
    "two typos": _two_typos,
    "misspelt surname + word": _surname_and_word,
    "first 60 %": _beginning,
    "words joined": _joined,
    "accents left out": _without_accents,
}


def mixtures(titles: Sequence[Title], number: int) -> str:
    """Return a CSV of made-up titles: the beginning of one title and the end of another.

    Languages, publishers and subjects are as unevenly frequent as in a library.
    """
    chance = random.Random(1)  # noqa: S311 (repeatable, not secret)
    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow(["title", "authors", "year", "language", "publisher", "subjects"])
    for _ in range(number):
        one, other = (chance.choice(titles).main.split() for _ in range(2))
        words = [*one[: chance.randint(1, len(one))], *other[-chance.randint(1, len(other)) :]]
        authors = f"{chance.choice(titles).authors.split()[0]} {chance.choice(titles).surname}"
        publisher, *subjects = (int(chance.paretovariate(0.5)) % 1000 for _ in range(3))
        row = [" ".join(words), authors, chance.randint(1900, 2020), chance.choice(_LANGUAGES)]
        subject_cell = "; ".join(f"Subject {each}" for each in subjects)
        writer.writerow([*row, f"Publisher {publisher}", subject_cell])
    return content.getvalue()
