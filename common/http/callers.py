"""Who may call a route. Default deny: a route names its callers, and a test walks every route with every caller."""

from dataclasses import dataclass

from flask import g, request

from common.errors import NotFound
from common.http.problems import Problem, edge_problem
from common.identity import HEADER, BadIdentity, Identity, Kind, verify
from common.settings import settings


@dataclass(frozen=True)
class Allow:
    """Callers of one kind; with `role`, only those who have it. Staff of role `admin` may do what any staff may."""

    kind: Kind
    role: str | None = None

    def admits(self, identity: Identity) -> bool:
        """Whether this caller is one of them."""
        if identity.kind != self.kind:
            return False
        return self.role is None or self.role in identity.roles or (self.kind == "staff" and "admin" in identity.roles)

    def __str__(self) -> str:
        return f"{self.kind}:{self.role}" if self.role else self.kind


MEMBER = Allow("member")
SERVICE = Allow("service")
ANY_STAFF = Allow("staff")


def staff(role: str) -> Allow:
    """Staff of one role."""
    return Allow("staff", role)


def system(scope: str) -> Allow:
    """API keys with one scope."""
    return Allow("system", scope)


def authenticate() -> Identity:
    """The caller of this request, from the signed header only."""
    try:
        identity = verify(request.headers.get(HEADER), secret=settings().identity_secret.get_secret_value())
    except BadIdentity as error:
        raise _unauthenticated(str(error)) from error
    g.identity = identity
    return identity


def authorize(identity: Identity, allowed: tuple[Allow, ...]) -> None:
    """Raise 403 unless one of `allowed` admits the caller."""
    if not any(allow.admits(identity) for allow in allowed):
        raise edge_problem("forbidden", caller=identity.kind, allowed=" / ".join(map(str, allowed)))


def owner(identity: Identity, member_id: int | None, *, pointer: str = "/query/member_id") -> int:
    """The member a request is about: a member's own id always, for others the one they name.

    A member who names another gets 404, as if there were none; others who name nobody get 422 with the `pointer`.
    """
    if identity.kind == "member":
        if member_id not in (None, identity.member_id):
            raise NotFound()
        return identity.member_id
    if member_id is None:
        errors = [{"pointer": pointer, "detail": "Say which member: member_id is required for you."}]
        raise edge_problem("invalid_request", errors=errors)
    return member_id


def _unauthenticated(reason: str) -> Problem:
    return edge_problem("unauthenticated", reason=reason)
