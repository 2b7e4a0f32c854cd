"""How parts are found: hooks of plugins, the table of interfaces, and who brought what."""
