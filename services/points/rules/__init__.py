"""Earning rules: conditions and formulas as data, in immutable versions."""
