"""Figures of one level of truth a file: windows, events, whole videos, pixels, what is to come."""
