"""The limits we measure ourselves against: the same work done by PostgreSQL alone."""
