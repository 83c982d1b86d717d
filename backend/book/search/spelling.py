"""Correct misspelt and joined words by the vocabulary of the catalogue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import Connection, text

_MIN_LENGTH = 3  # shorter words are not corrected
_MAX_LENGTH = 40
_SHORT_LENGTH, _LONG_LENGTH = 4, 8  # up to 4 letters one edit, up to 8 two, else three
_MAX_CORRECTED = 8  # words of a query
MAX_ALTERNATIVES = 6
_MAX_LISTED_LENGTH = 8  # of words whose misspellings are listed
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MAX_PHRASES = 40
_OWN_EDITS = 1.0  # a word that has alternatives may still be meant
_JOIN_EDITS = 1.0  # a space too many
_SPLIT_EDITS = 1.5  # a missing space counts as more than one letter
_MIN_PART = 2  # letters of a part of a joined word
_LOOK_UP = text("""
    SELECT given.word, found.word, found.books
    FROM unnest(CAST(:words AS text[])) AS given (word), LATERAL similar_words(given.word) AS found
    UNION ALL
    SELECT '', word, books FROM search_words WHERE word = ANY (CAST(:spellings AS text[]))
""")


@dataclass(frozen=True)
class Alternative:
    """One or two words that a word may stand for; fewer edits are better."""

    words: tuple[str, ...]
    edits: float
    books: int


@dataclass(frozen=True)
class Corrections:
    """What the words of a text may stand for, best first."""

    alternatives: dict[str, list[Alternative]] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)  # words that a space divides in the text

    def of(self, word: str) -> list[Alternative]:
        """Return the best few alternatives of a word."""
        return self.alternatives.get(word, [])[:MAX_ALTERNATIVES]


def corrections(
    connection: Connection, words: Sequence[str], known: Mapping[str, int]
) -> Corrections:
    """Look up what the words may stand for; the rarest words are corrected first."""
    wanted = [word for word in dict.fromkeys(words) if _MIN_LENGTH <= len(word) <= _MAX_LENGTH]
    chosen = sorted(wanted, key=lambda word: known.get(word, 0))[:_MAX_CORRECTED]
    pairs = {one + other for one, other in pairwise(words)}
    if not chosen and not pairs:
        return Corrections()
    similar, present = _look_up(connection, chosen, pairs)
    found = {
        word: sorted(
            [*_misspellings(word, similar.get(word, {}), present), *_split(word, present)],
            key=lambda each: (each.edits, -each.books),
        )
        for word in chosen
    }
    return Corrections(found, pairs & present.keys())


def _look_up(
    connection: Connection, words: Sequence[str], others: Iterable[str]
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Return words with similar trigrams by word, and the spellings and other words that exist.

    Trigrams find errors in long words; short ones share too few, so all their spellings with one
    edit are looked up.
    """
    spellings = {half for word in words for split in _splits(word) for half in split}
    spellings.update(*(_one_edit(word) for word in words if len(word) <= _MAX_LISTED_LENGTH))
    spellings.update(others)
    rows = connection.execute(_LOOK_UP, {"words": list(words), "spellings": list(spellings)})
    similar: dict[str, dict[str, int]] = {}
    present: dict[str, int] = {}
    for word, match, books in rows:
        if word:
            similar.setdefault(word, {})[match] = books
        else:
            present[match] = books
    return similar, present


def _one_edit(word: str) -> set[str]:
    letters = _LETTERS if word.isascii() else "".join(sorted(set(word)))
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return {
        *(head + tail[1:] for head, tail in splits if tail),
        *(head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1),
        *(head + letter + tail[1:] for head, tail in splits if tail for letter in letters),
        *(head + letter + tail for head, tail in splits for letter in letters),
    }


def _splits(word: str) -> list[tuple[str, str]]:
    return [(word[:at], word[at:]) for at in range(_MIN_PART, len(word) - _MIN_PART + 1)] + (
        [(word[:1], word[1:])] if word[:1] == "a" else []
    )


def _misspellings(
    word: str, similar: Mapping[str, int], present: Mapping[str, int]
) -> list[Alternative]:
    most = 1 if len(word) <= _SHORT_LENGTH else 2 if len(word) <= _LONG_LENGTH else 3
    near = _one_edit(word) & present.keys() if len(word) <= _MAX_LISTED_LENGTH else set()
    found = [Alternative((match,), 1, present[match]) for match in near if match != word]
    found += [
        Alternative((match,), edits(word, match, most), books)
        for match, books in similar.items()
        if match != word and match not in near
    ]
    return [each for each in found if each.edits <= most]


def _split(word: str, present: Mapping[str, int]) -> list[Alternative]:
    return [
        Alternative(split, _SPLIT_EDITS, min(present[split[0]], present[split[1]]))
        for split in _splits(word)
        if split[0] in present and split[1] in present
    ]


def phrases(words: Sequence[str], found: Corrections) -> list[str]:
    """Return the texts that the words may stand for, those with the fewest edits first."""
    texts = _phrases(words, found, 0.0)
    for at, joined in _pairs(words):
        if joined in found.joined:
            texts += _phrases([*words[:at], joined, *words[at + 2 :]], found, _JOIN_EDITS)
    return [text for _, text in sorted(texts)[:_MAX_PHRASES]]


def _phrases(words: Sequence[str], found: Corrections, cost: float) -> list[tuple[float, str]]:
    texts = [(cost, "")]
    for word in words:
        options = [(_OWN_EDITS if found.of(word) else 0.0, word)]
        options += [(each.edits, " ".join(each.words)) for each in found.of(word)]
        texts = sorted(
            (before + more, f"{text} {option}".strip())
            for before, text in texts
            for more, option in options
        )[:_MAX_PHRASES]
    return texts


def _pairs(words: Sequence[str]) -> Iterable[tuple[int, str]]:
    """Return neighbours written as one word, with their position."""
    return ((at, one + other) for at, (one, other) in enumerate(pairwise(words)))


def changed_once(words: Sequence[str], found: Corrections) -> list[str]:
    """Return the texts that differ from the words in one of them, or by a space less."""
    texts = [
        " ".join([*words[:at], *each.words, *words[at + 1 :]])
        for at, word in enumerate(words)
        for each in found.alternatives.get(word, ())
    ]
    return texts + [
        " ".join([*words[:at], joined, *words[at + 2 :]]) for at, joined in _pairs(words)
    ]


def edits(one: str, other: str, most: int) -> int:
    """Count insertions, deletions, substitutions and swaps of neighbours; `most` + 1 if more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, match in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != match))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == match:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
