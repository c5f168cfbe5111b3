"""Orders: a member's redemption of an item, and the saga that keeps its points and its stock together."""
