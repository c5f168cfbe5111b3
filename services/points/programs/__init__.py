"""A program is one brand's loyalty program; its assets are what members own in it."""
