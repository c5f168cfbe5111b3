"""The way through the door: a plain WSGI callable before Flask, because most requests only pass."""
