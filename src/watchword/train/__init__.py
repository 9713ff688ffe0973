"""Learning from labels: visible loops."""
