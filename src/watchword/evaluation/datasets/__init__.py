"""Annotation readers, one file a format."""
