"""Back-tests: the recorded events run again, in memory, through what is live and through what might be."""
