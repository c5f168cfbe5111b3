"""Who a member is: members and their identities, tiers, check-ins, badges, leaderboards, and what these hand out."""
