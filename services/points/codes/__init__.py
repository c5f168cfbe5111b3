"""Redemption codes: sets that marketers make, and codes that members type or scan, each taken in as an event."""
