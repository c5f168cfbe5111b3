"""Paying part of an order with points (积分抵扣): a policy, a quote, a hold, and what a refund gives back."""
