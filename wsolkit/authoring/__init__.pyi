from .new_plugin import (
    KINDS as KINDS,
    Kind as Kind,
    write_plugin as write_plugin,
)
