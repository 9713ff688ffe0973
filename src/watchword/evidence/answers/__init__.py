"""A question to a video-language model: how probable it holds yes for what a clip shows."""
