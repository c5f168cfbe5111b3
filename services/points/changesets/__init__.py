"""Many adjustments, or the opening balances of an old system, as one thing, applied and undone whole."""
