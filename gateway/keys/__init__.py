"""API keys: how the systems of a brand call, signed, without any secret in our database."""
