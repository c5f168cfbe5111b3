"""Sign-in: who proves to be whom, the tokens that say so later, and the caller behind every request."""
