"""The project's benchmarks: `models.py` says what is timed, `__main__.py` times it and writes docs/benchmarks.md."""
