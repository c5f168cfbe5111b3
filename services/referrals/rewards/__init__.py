"""Handing out, and taking back, what invitations and group-buys promise: each grant once, by its id."""
