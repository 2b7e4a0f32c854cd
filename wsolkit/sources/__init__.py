"""What the sources of components say, read without importing them."""
