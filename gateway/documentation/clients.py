"""The documents that services write about themselves."""

import json
from typing import Any

import structlog
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from common.settings import settings

log = structlog.get_logger()

# A service writes its document when it is first asked for it, which takes seconds on a busy machine.
_POOL = PoolManager(timeout=Timeout(connect=0.5, read=15.0), retries=Retry(total=0))


def fetch_document(service: str) -> dict[str, Any] | None:
    """The service's OpenAPI document; None when it cannot be had now."""
    try:
        response = _POOL.request("GET", settings().service_url(service) + "/openapi.json")
        document = json.loads(response.data) if response.status == 200 else None
    except (HTTPError, ValueError) as error:
        log.warning("openapi_not_fetched", source=service, error=type(error).__name__)
        return None
    return document if isinstance(document, dict) else None
