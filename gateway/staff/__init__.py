"""Staff: who they are, what they may do, and the passwords they prove it with."""
