"""What this service needs to know of a program's settings, as the points service tells them."""
