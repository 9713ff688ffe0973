"""Thresholds chosen on one set of videos and reported on another."""
