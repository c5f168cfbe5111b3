"""Who was invited by whom, and whether it has earned its two rewards."""
