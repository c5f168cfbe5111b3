"""The only door: who calls, how much, where it goes, and what staff did."""
