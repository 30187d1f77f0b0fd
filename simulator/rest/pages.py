"""Lists, page by page: exactly one list key, and where the next page is."""

import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from simulator.rest import errors
from simulator.rest.errors import bad

T = TypeVar("T")

DEFAULT_PAGE_SIZE, LARGEST_PAGE = 50, 1000
PAGING = ("PageSize", "Page", "PageToken")


def page(
    *,
    key: str,
    rows: Sequence[T],
    sid_of: Callable[[T], str],
    represent: Callable[[T], dict[str, Any]],
    path: str,
    query: "MultiDict[str, str]",
) -> dict[str, Any]:
    """One page of `rows`. The token names the last row seen, so that new rows shift nothing."""
    size = _number(query, "PageSize", DEFAULT_PAGE_SIZE, 1, LARGEST_PAGE)
    number = _number(query, "Page", 0, 0, 10**9)
    token = query.get("PageToken")
    start = number * size
    if token is not None:
        sids = [sid_of(row) for row in rows]
        start = sids.index(token[2:]) + 1 if token[2:] in sids else len(rows)
    shown = rows[start : start + size]

    def address(page_number: int, last: str | None) -> str:
        kept = [(name, value) for name, value in query.items(multi=True) if name not in PAGING]
        asked = [*kept, ("PageSize", str(size)), ("Page", str(page_number))]
        if last is not None:
            asked.append(("PageToken", f"PA{last}"))
        return f"{path}?{urllib.parse.urlencode(asked)}"

    has_more = start + size < len(rows)
    return {
        key: [represent(row) for row in shown],
        "end": start + max(len(shown) - 1, 0),
        "first_page_uri": address(0, None),
        "next_page_uri": address(number + 1, sid_of(shown[-1])) if has_more else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": address(number - 1, None) if number else None,
        "start": start,
        "uri": f"{path}?{urllib.parse.urlencode(list(query.items(multi=True)))}",
    }


def _number(query: "MultiDict[str, str]", name: str, default: int, least: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdigit() or not least <= int(text) <= most:
        message = f"{name} is a whole number from {least} to {most}, not {text!r}"
        raise bad(errors.BAD_VALUE, message)
    return int(text)
