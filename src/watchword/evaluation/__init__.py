"""Judging results against the truth that people marked."""
