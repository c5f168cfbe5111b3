"""Invitation campaigns, and the code by which a member invites in one."""
