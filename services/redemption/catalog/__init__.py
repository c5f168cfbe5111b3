"""The items of the mall: what is offered at which price and when, and how many pieces there are."""
