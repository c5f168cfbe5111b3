"""The audit log: every entry sealed into a Merkle tree of its program with signed heads, proofs, receipts; replay."""
