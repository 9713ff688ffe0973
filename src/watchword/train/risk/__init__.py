"""Fine-tuning of a video-language model that says how likely a collision is."""
