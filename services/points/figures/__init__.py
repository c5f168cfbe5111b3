"""Finance's side of the ledger: what was issued, redeemed, expired and is owed, by day; and its trial balance."""
