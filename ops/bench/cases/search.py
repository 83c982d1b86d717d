"""Quality and time of the catalogue search on a catalogue of 10 000 real titles.

Queries of each kind are made from titles by a seed; @n is the share found among the first n
hits. The comparison is plain full text on the same rows. Needs ../shared/data/goodbooks_books.csv.
"""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg2
from stdnum import isbn as isbn_numbers

from ops.api_client import ApiClient
from ops.bench import Result, catalogue_queries
from ops.bench.catalogue_queries import Title
from ops.bench.system import System
from ops.home import ROOT

FILE = ROOT.parent / "shared" / "data" / "goodbooks_books.csv"
_GATES = {  # kind: @1, @10
    "exact title": (0.98, None),
    "title + surname": (0.99, None),
    "one typo": (0.94, 0.985),
    "two typos": (None, 0.92),
    "misspelt surname + word": (None, 0.90),
    "first 60 %": (None, 0.97),
    "words joined": (None, 0.98),
    "accents left out": (None, 0.98),
}
_MAX_P95 = {10_000: 100.0, 100_000: 150.0}  # ms
_MAX_EXACT_P95 = 20.0  # ms, of exact titles at 100 000
_MAX_PAGE_P95 = 100.0  # ms, of a page with facets at 100 000
_LIMIT = 10
_PLAIN = """
    SELECT title, author FROM books, plainto_tsquery('simple', words_of(%s)) AS wanted
    WHERE search @@ wanted ORDER BY ts_rank_cd(search, wanted) DESC, id LIMIT 10
"""
Hits = list[tuple[str, str]]


class _Search:
    """Sends queries to LUNA and to plain full text, and keeps the times."""

    def __init__(self, system: System) -> None:
        librarian = system.account("LIBRARIAN")
        self.client = ApiClient(system.address, librarian["email"], librarian["password"])
        url = system.environment["LUNA_DATABASE_OWNER_URL"].replace("+psycopg2", "")
        self._database = psycopg2.connect(url)
        self._database.autocommit = True
        self.seconds: list[float] = []

    def find(self, query: str) -> Hits:
        began = time.perf_counter()
        found = self.client.request("GET", "/books", params={"q": query, "limit": _LIMIT})
        self.seconds.append(time.perf_counter() - began)
        return [(book["title"], book["author"]) for book in found]

    def page(self, **params: object) -> None:
        """Read a page with its facets."""
        began = time.perf_counter()
        self.client.request("GET", "/books", params={"facets": True, **params})
        self.seconds.append(time.perf_counter() - began)

    def find_plainly(self, query: str) -> Hits:
        with self._database.cursor() as cursor:
            cursor.execute(_PLAIN, [query])
            return list(cursor.fetchall())

    def p95(self) -> float:
        """Return the 95th percentile in ms of the queries since the last call."""
        ordered, self.seconds = sorted(self.seconds), []
        return ordered[int(len(ordered) * 0.95)] * 1000

    def analyze(self) -> None:
        with self._database.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE books, search_words, search_phrases")


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Import the titles, then search; a full run repeats the times at 100 000 titles."""
    if not FILE.exists():
        print(f"skipped: {FILE} is not there")
        return
    titles = catalogue_queries.read(FILE)
    search = _Search(system)
    _import(search, FILE)
    _wait_for_vocabulary(search)
    number = 60 if short else 600
    seed = int(os.environ.get("LUNA_BENCH_SEED", "2026"))
    for kind, gates in _GATES.items():
        yield from _quality(search, titles, kind, gates, (number, seed))
    yield _isbn_spellings(search, titles, number)
    if not short:
        yield from _large(search, titles, system.folder / "large.csv")


def _quality(
    search: _Search,
    titles: Sequence[Title],
    kind: str,
    gates: tuple[float | None, float | None],
    drawn: tuple[int, int],
) -> Iterator[Result]:
    wanted = list(catalogue_queries.queries(titles, kind, *drawn))
    ranks = [_rank(search.find(query), title) for query, title in wanted]
    p95 = search.p95()
    plain = [_rank(search.find_plainly(query), title) for query, title in wanted]
    for most, gate in zip((1, _LIMIT), gates, strict=True):
        share, plainly = (sum(rank <= most for rank in of) / len(of) for of in (ranks, plain))
        comparison = f"plain full text: {plainly:.3f}"
        figures = {"queries": len(ranks), "p95 ms": p95}
        yield Result(f"{kind} @{most}", share, "found", gate, None, comparison, figures)
    yield Result(f"{kind}, p95", p95, "ms", at_most=_MAX_P95[10_000])


def _rank(hits: Hits, title: Title) -> int:
    """Return the place of the title among the hits, from 1; a high number when it is missing."""
    keys = [catalogue_queries.key(*hit) for hit in hits]
    return keys.index(title.key) + 1 if title.key in keys else _LIMIT + 1


def _isbn_spellings(search: _Search, titles: Sequence[Title], number: int) -> Result:
    """Search ISBNs in six spellings."""
    found = tried = 0
    given = [title for title in titles if title.isbn]
    valid = [title for title in given if isbn_numbers.is_valid(title.isbn.rjust(10, "0"))]
    for title in valid[:: max(len(valid) * 6 // number, 1)]:
        short = title.isbn.rjust(10, "0")
        long = isbn_numbers.to_isbn13(short)
        dashed = isbn_numbers.format(long)
        spaced = dashed.replace("-", " ")
        for spelling in (short, isbn_numbers.format(short), long, dashed, spaced, f"ISBN {dashed}"):
            tried += 1
            found += _rank(search.find(spelling), title) == 1
    return Result("ISBN in six spellings @1", found / tried, "found", at_least=1.0)


def _large(search: _Search, titles: Sequence[Title], file: Path) -> Iterator[Result]:
    """Add 90 000 mixtures of the titles and measure the times again."""
    file.write_text(catalogue_queries.mixtures(titles, 90_000), encoding="utf-8")
    _import(search, file)
    _wait_for_vocabulary(search)
    search.analyze()
    for kind, bar in {"exact title": _MAX_EXACT_P95, "one typo": 150.0, "two typos": 150.0}.items():
        for query, _ in catalogue_queries.queries(titles, kind, 300, 7):
            search.find(query)
        yield Result(f"{kind}, p95 of 100 000 titles", search.p95(), "ms", at_most=bar)
    for number, title in enumerate(titles[::100]):
        for params in _pages(title, number):
            search.page(**params)
    name = "page and facets, p95 of 100 000 titles"
    yield Result(name, search.p95(), "ms", at_most=_MAX_PAGE_P95)


def _pages(title: Title, number: int) -> list[dict[str, object]]:
    """Return what readers and librarians list: words, filters, and both, in several orders."""
    word = max(title.main.split(), key=len)
    year = 1900 + number % 120
    return [
        {"q": word},
        {"q": title.surname, "available": True},
        {"q": word, "language": "en", "sort": "publication_year", "order": "desc"},
        {"author": title.surname, "sort": "title"},
        {"subject": f"Subject {number}", "sort": "author"},
        {"publisher": f"Publisher {number}", "year_from": year},
        {"year_from": year, "year_to": year + 5, "sort": "title"},
        {"language": ("en", "de", "fr", "es")[number % 4], "page": 1 + number},
    ]


def _import(search: _Search, file: Path) -> None:
    with file.open("rb") as content:
        files = {"file": (file.name, content, "text/csv")}
        job = search.client.request("POST", "/books/bulk-import", files=files)["job_id"]
    while search.client.request("GET", f"/books/bulk-import/{job}")["state"] in {
        "QUEUED",
        "RUNNING",
    }:
        time.sleep(0.5)


def _wait_for_vocabulary(search: _Search) -> None:
    """Wait until the periodic job has counted the words of the imported titles."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        params = {"q": "hungr gmes", "limit": 1}
        if search.client.body("GET", "/books", params=params).get("did_you_mean"):
            break
        time.sleep(1)
    search.seconds.clear()
