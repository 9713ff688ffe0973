"""What was found, in the formats of other programs."""
