"""Parts of the build of the built-in encoder ``mini`` (see ``scripts/build_mini.py``)."""
