"""Days that come back every year: a member's birthday and the day they joined, each told once a year."""
