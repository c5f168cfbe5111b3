"""Audiences: which tier a member had when, and the lists (tags, segments) that a brand keeps."""
