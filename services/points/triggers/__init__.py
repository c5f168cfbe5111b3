"""What our own house says happened, taken in as events that rules can reward: days that come back, lists entered."""
