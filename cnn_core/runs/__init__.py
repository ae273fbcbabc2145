"""The record of every run: rows in a database, files in a folder. Needs no torch."""
