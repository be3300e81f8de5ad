"""Abuse of a running hub, and what others notice of it meanwhile: `python -m benchmarks.abuse --help`."""
