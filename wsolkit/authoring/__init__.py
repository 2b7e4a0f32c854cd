"""``wsolkit new-plugin``: a distribution with working parts, to be edited."""
