"""Profiles over HTTP."""

import time

from flask import g, request

from common.clock import now
from common.http.callers import staff
from common.http.routes import Routes
from common.identity import HEADER, Identity
from gateway.auth.callers import identity_header
from gateway.profiles import use_cases
from gateway.profiles.schemas import ProfileResponse
from gateway.profiles.use_cases import Profile

routes = Routes("profiles", description="A member, whole")

#: For so long a person waits; what is not there by then is named as missing.
DEADLINE_SECONDS = 3.0


@routes.get("/profiles/<id:member_id>", allow=(staff("customer_service"),), answer=ProfileResponse)
def show_profile(caller: Identity, member_id: int) -> Profile:
    """A member in one call: what they own and hold, what happened last and why, tier, streaks, badges, orders, friends.

    Each service is asked as the caller, so nobody sees here what they would not see there. A part that a service does
    not give within three seconds is null and named in `missing`, with the reason.
    """
    headers = {HEADER: identity_header(caller), "X-Request-ID": g.request_id}
    if languages := request.headers.get("Accept-Language"):
        headers["Accept-Language"] = languages
    until = time.monotonic() + DEADLINE_SECONDS
    return use_cases.profile(member_id, headers=headers, until=until, now=now())
