"""Exchanging points with partners (积分通兑): units of another program for points and back, at a fixed rate."""
