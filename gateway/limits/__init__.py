"""How much a caller may ask: token buckets in this process, trued up with the other processes' over Redis."""
