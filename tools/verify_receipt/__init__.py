"""Check a Jifen receipt offline: this folder, the standard library alone, nothing of Jifen. See docs/receipts.md.

`receipt` holds what a receipt is and what makes it valid, `head` the signed heads of the log, `merkle` the tree of
RFC 9162, `ed25519` the signatures of RFC 8032, `form` how a field must be written.
"""
