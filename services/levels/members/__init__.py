"""Members and their identities: one person, one member, however many accounts they come with (G1)."""
