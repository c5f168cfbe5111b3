"""The demo: a stranger's first ten minutes, on real purchases, through the gateway and nothing but the gateway."""
