"""How fast the platform is, as ratios to what this machine can do at all: `make bench`."""
