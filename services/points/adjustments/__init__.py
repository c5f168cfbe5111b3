"""Points given or taken by hand: by customer service within limits, beyond them with a second person's approval."""
