"""What staff did: every request of theirs that could change something, whatever became of it."""
