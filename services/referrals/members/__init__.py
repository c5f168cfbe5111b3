"""What this service needs to know of a member: when they joined and when they first paid."""
