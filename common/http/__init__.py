"""The HTTP edge every service shares: routes with who may call, problem+json, idempotency keys, health, feed."""
