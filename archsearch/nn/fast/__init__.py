"""Training on a CPU with fewer passes over memory: batch norm and its activation are one thing, or none at all."""
