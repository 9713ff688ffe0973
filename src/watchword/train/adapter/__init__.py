"""Temporal adapters: a small transformer and learned prompts over frozen embeddings (torch)."""
