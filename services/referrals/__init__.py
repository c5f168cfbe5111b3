"""Who brought whom: invitations and the bindings they make, group-buys, and what is granted for either."""
