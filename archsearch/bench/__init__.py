"""How do we compare: benchmarks of our own parts beside their peers, in one run, as ratios."""
