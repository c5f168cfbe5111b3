"""What levels knows of a program: the settings that the points feed tells, above all the zone of its business days."""
