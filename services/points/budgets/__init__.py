"""Budgets: what a rule may award in all, or within a day, week or month, over all members together."""
