"""Feeds: how services talk. Facts are appended in the change's transaction and pulled in commit order, applied once."""

from common.feed.consumer import Apply, Subscription, pull
from common.feed.fact import Fact, Page
from common.feed.producer import append, append_many, append_pointers, notice_cluster, page, topics_appended
from common.feed.tables import FeedTables

__all__ = [
    "Apply",
    "Fact",
    "FeedTables",
    "Page",
    "Subscription",
    "append",
    "append_many",
    "append_pointers",
    "notice_cluster",
    "page",
    "pull",
    "topics_appended",
]
