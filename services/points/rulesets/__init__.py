"""Rule sets as documents: exported, imported as drafts, also elsewhere; and templates to begin with."""
