"""An evaluation as people read it: boxes, Markdown, CSV, JSON and a page."""
