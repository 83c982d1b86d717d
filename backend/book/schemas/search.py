"""Response models of a search."""

from backend.book.schemas.books import BookRead
from backend.shared.web.envelope import PageAnswer
from backend.shared.web.schemas import ResponseModel


class FieldMatch(ResponseModel):
    """A field that contains words of the search, and its text."""

    field: str
    text: str


class BookFound(BookRead):
    """A title in the result of a search; `match` gives the fields that contain the words."""

    match: list[FieldMatch] = []


class FacetValue(ResponseModel):
    """A value of a filter and the number of matches that have it."""

    value: str
    count: int


class Facet(ResponseModel):
    """The most frequent values of a filter, as if it were not set."""

    name: str
    values: list[FacetValue]


class SearchAnswer(PageAnswer[BookFound]):
    """One page of a search; `facets` only when asked for."""

    did_you_mean: str | None = None
    facets: list[Facet] | None = None
