"""Fields that several messages have."""

from datetime import datetime

from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from backend.shared.web.pagination import Order, PageQuery, check_depth

_PAGE_SIZE = 10


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Return a time to the millisecond, as in REST, whose cached answers hold no more."""
    if moment is None:
        return None
    return Timestamp.from_datetime(moment.replace(microsecond=moment.microsecond // 1000 * 1000))


def page_query(page: int, page_size: int, sort: str = "", *, descending: bool = False) -> PageQuery:
    """Return the page that a list asks for: 0 means the default; PageTooDeep as in REST."""
    order = (Order.DESC if descending else Order.ASC) if sort else None
    return check_depth(
        PageQuery(page=page or 1, limit=page_size or _PAGE_SIZE, sort=sort or None, order=order)
    )
