"""The benchmarks; ``tests/bench/cd`` is the command."""
