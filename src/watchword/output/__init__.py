"""Show: run folders, reports, plots and exports of what was found."""
