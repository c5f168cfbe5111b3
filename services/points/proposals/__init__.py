"""Proposals: rules that go live once a second person has said yes to exactly what was shown."""
