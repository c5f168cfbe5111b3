"""What came of a rule's experiment: figures of each variant, and whether they differ by more than chance."""
