"""Evidence: what embeddings say about the words, window by window."""
