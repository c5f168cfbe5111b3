"""API keys over HTTP: admins manage them."""

from typing import Any

from common.clock import now
from common.http.callers import staff
from common.http.routes import Routes
from common.identity import Identity
from gateway.database import transaction
from gateway.keys import use_cases
from gateway.keys.domain import ApiKey
from gateway.keys.schemas import KeyListResponse, KeyRequest, KeyResponse, KeySecretResponse
from gateway.keys.verification import forget, secret_of
from gateway.keys.wordings import WORDINGS

routes = Routes("api keys", wordings=WORDINGS, description="Keys by which the systems of the brand call")

_ADMIN = (staff("admin"),)


@routes.post("/api-keys", allow=_ADMIN, body=KeyRequest, answer=KeySecretResponse, status=201)
def create_key(caller: Identity, body: dict[str, Any]) -> dict[str, Any]:
    """Make a key. The secret is shown here and never again."""
    with transaction() as session:
        key = use_cases.create_key(
            session,
            program_id=caller.program_id,
            name=body["name"],
            scopes=frozenset(body["scopes"]),
            rate_per_second=body["rate_per_second"],
        )
    return {"key": key, "secret": secret_of(key)}


@routes.get("/api-keys", allow=_ADMIN, answer=KeyListResponse)
def list_keys(caller: Identity) -> dict[str, list[ApiKey]]:
    """All keys, the revoked too, the newest first."""
    with transaction() as session:
        return {"keys": use_cases.list_keys(session, program_id=caller.program_id)}


@routes.post("/api-keys/<code:key_id>/rotation", allow=_ADMIN, answer=KeySecretResponse)
def rotate_key(caller: Identity, key_id: str) -> dict[str, Any]:
    """Give the key a new secret, shown here and never again; the old one ends within seconds."""
    with transaction() as session:
        key = use_cases.rotate_key(session, program_id=caller.program_id, key_id=key_id)
    forget(key_id)
    return {"key": key, "secret": secret_of(key)}


@routes.delete("/api-keys/<code:key_id>", allow=_ADMIN, answer=KeyResponse)
def revoke_key(caller: Identity, key_id: str) -> ApiKey:
    """End the key within seconds and for ever; once more changes nothing."""
    with transaction() as session:
        key = use_cases.revoke_key(session, program_id=caller.program_id, key_id=key_id, now=now())
    forget(key_id)
    return key
