"""A member as customer service sees them: one call, joined from what every service knows (H3)."""
