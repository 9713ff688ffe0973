"""Encoders: pictures and sentences into unit vectors of one common space."""
