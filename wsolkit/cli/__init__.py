"""The ``wsolkit`` command, one module per subcommand."""
