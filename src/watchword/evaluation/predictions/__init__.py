"""Saved results as predictions to evaluate: readers, one file a format."""
