"""What staff gave and took by hand, by reason: a report over adjustments and changesets. It only reads."""
