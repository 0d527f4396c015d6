"""The words of FetchXML: what its elements may say, and what of it is about records.

Law: data. What is in none of these lists is refused, since it may be a slip that means a lot.
"""

from collections.abc import Mapping

from domain.filters.criteria import GroupOperator, LinkType

QUERIES = {
    "aggregate": "An aggregate query",
    "aggregatelimit": "An aggregate query",
    "distinct": "A distinct query",
    "page": "A paged query",
    "count": "A paged query",
    "top": "A paged query",
    "paging-cookie": "A paged query",
    "returntotalrecordcount": "A counting query",
    "datasource": "A query of other rows",
}
"""Attributes of a fetch that ask for something else than which records are meant."""
MEANINGLESS: Mapping[str, frozenset[str]] = {
    "fetch": frozenset(
        {
            "version",
            "mapping",
            "output-format",
            "no-lock",
            "utc-offset",
            "min-active-row-version",
            "latematerialize",
            "options",
            "savedqueryid",
            "useraworderby",
        }
    ),
    "entity": frozenset({"enableprefiltering", "prefilterparametername"}),
    "filter": frozenset(
        {
            "hint",
            "isquickfindfields",
            "overridequickfindrecordlimitenabled",
            "overridequickfindrecordlimitdisabled",
        }
    ),
    "link-entity": frozenset(
        {"intersect", "visible", "enableprefiltering", "prefilterparametername"}
    ),
    "condition": frozenset({"alias", "column", "uihidden", "uiname", "uitype"}),
    "value": frozenset({"uiname", "uitype"}),
}
"""Attributes of FetchXML that say nothing about which records are meant: kept as they came."""
NOT_SO = frozenset({"false", "0"})
SHAPES = frozenset({"attribute", "all-attributes", "order"})
"""Elements that only shape an answer."""
LINK_WORDS = {each: each.value.lower().replace("_", " ") for each in LinkType}
LINK_TYPES = {word: each for each, word in LINK_WORDS.items()}
GROUPS = {each.value.lower(): each for each in GroupOperator}
