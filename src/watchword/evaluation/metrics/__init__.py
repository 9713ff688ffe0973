"""Metrics on whole arrays, one level of truth a file."""
