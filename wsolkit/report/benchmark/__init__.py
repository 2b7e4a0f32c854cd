"""What a benchmark leaves: one table of methods, over their seeds, as text, files and a page."""
