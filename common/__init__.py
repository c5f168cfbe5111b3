"""Mechanism every service stands on: no product words, nothing here knows points, tiers or prices."""
