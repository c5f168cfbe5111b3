"""The orders of members, as the shop told of them: one row an order, however often and in whatever order it is told."""
