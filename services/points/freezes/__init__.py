"""Freezing a member's account: nothing can be spent, held or sent from it until it is unfrozen."""
