"""Layouts on disk: what each says of a split, read without torch and without decoding an image."""
