"""Asking services side by side, as the caller: their rights are decided where they are always decided."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import structlog
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from common.errors import NeighbourUnavailable
from common.http.problems import problem_body, refusal_problem
from common.settings import settings
from gateway.profiles.domain import Question, Said

log = structlog.get_logger()

_POOL = PoolManager(maxsize=16, retries=False)


def ask(asked: Sequence[Question], *, headers: dict[str, str], until: float) -> dict[Question, Said]:
    """What each was answered with; who says nothing until then (of `time.monotonic`) is unavailable."""
    if not asked:
        return {}
    seconds = max(until - time.monotonic(), 0.01)
    pool = ThreadPoolExecutor(len(asked))
    try:
        running = {it: pool.submit(_ask, it, headers, seconds) for it in asked}
        wait(running.values(), timeout=seconds)
        said = {it: future.result() if future.done() else None for it, future in running.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return {it: answer or _unavailable(it.service) for it, answer in said.items()}


def _ask(question: Question, headers: dict[str, str], seconds: float) -> Said | None:
    """One answer; None when there is none that can be used."""
    url = settings().service_url(question.service) + question.target
    try:
        response = _POOL.request("GET", url, headers=headers, timeout=Timeout(connect=1.0, read=seconds))
        body = json.loads(response.data)
    except (HTTPError, ValueError) as error:
        log.warning("profile_part_not_fetched", part=question.part, error=type(error).__name__)
        return None
    told = isinstance(body, dict) and (response.status == 200 or {"code", "detail"} <= body.keys())
    return Said(response.status, body) if told else None


def _unavailable(service: str) -> Said:
    problem = refusal_problem(NeighbourUnavailable(service=service), {})
    return Said(problem.status, problem_body(problem))
