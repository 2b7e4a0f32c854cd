"""The assembled model and how it is put together and used."""
