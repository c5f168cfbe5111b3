"""Money to be paid back for group-buys: it moves outside the company, here it is asked for once and ticked off."""
