"""What a process learns from its environment, checked once at its start."""

from functools import lru_cache
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every value comes from a `JIFEN_*` variable; secrets have no default and are never printed."""

    model_config = SettingsConfigDict(env_prefix="JIFEN_", extra="ignore")

    env: Literal["development", "test", "production"] = "development"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    identity_secret: SecretStr = Field(min_length=32)
    redis_url: str

    # What the gateway alone needs; it does not start without the two secrets.
    session_secret: SecretStr | None = Field(default=None, min_length=32)
    key_encryption_secret: SecretStr | None = Field(default=None, min_length=32)
    sandbox_login: bool | None = None
    wechat_url: str = "https://api.weixin.qq.com"
    wechat_secrets: dict[str, SecretStr] = {}
    proxies_in_front: int = Field(default=0, ge=0, le=8)

    # What redemption codes are derived from; another value makes all codes that are out worthless.
    code_secret: SecretStr | None = Field(default=None, min_length=32)

    # What signs the heads of the audit log: an Ed25519 seed, 32 bytes in base64. Only the worker of points needs it.
    audit_key: SecretStr | None = None

    points_database_url: str = ""
    levels_database_url: str = ""
    referrals_database_url: str = ""
    redemption_database_url: str = ""
    gateway_database_url: str = ""

    points_url: str = "http://127.0.0.1:8101"
    levels_url: str = "http://127.0.0.1:8102"
    referrals_url: str = "http://127.0.0.1:8103"
    redemption_url: str = "http://127.0.0.1:8104"
    gateway_url: str = "http://127.0.0.1:8100"

    member_requests_per_second: int = Field(default=20, ge=1)
    staff_requests_per_second: int = Field(default=50, ge=1)

    database_pool_size: int = Field(default=8, ge=1, le=200)

    def database_url(self, service: str) -> str:
        """The URL of one service's database; a missing one is named, not guessed."""
        url = str(getattr(self, f"{service}_database_url"))
        if not url:
            raise LookupError(f"JIFEN_{service.upper()}_DATABASE_URL is not set")
        return url

    def secret(self, name: str) -> str:
        """A secret that not every process has; a missing one is named, not guessed."""
        secret: SecretStr | None = getattr(self, f"{name}_secret")
        if secret is None:
            raise LookupError(f"JIFEN_{name.upper()}_SECRET is not set")
        return secret.get_secret_value()

    def service_url(self, service: str) -> str:
        """Where a neighbour answers, e.g. `http://127.0.0.1:8101`."""
        return str(getattr(self, f"{service}_url")).rstrip("/")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read at first use."""
    return Settings()  # type: ignore[call-arg]  # pydantic reads them from the environment
