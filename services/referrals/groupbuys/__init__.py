"""Group-buys (拼团): open one, hold a seat, pay, and have it filled, or expired and every payment sent back."""
