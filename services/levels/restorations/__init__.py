"""Restorations: customer service gives a member missed days back, so that a broken streak goes on (H5)."""
