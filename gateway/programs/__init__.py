"""Programs as the door knows them: a code to sign in with, and the mini-program that belongs to it."""
