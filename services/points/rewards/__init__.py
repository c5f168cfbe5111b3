"""Grants of the neighbours: what they hand out of assets is posted here, once per grant id."""
