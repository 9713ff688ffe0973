"""Many videos, and stages as files."""
