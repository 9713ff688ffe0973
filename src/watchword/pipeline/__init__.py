"""The order of the stages: from a video to a detection."""
