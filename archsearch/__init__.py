"""Find the best small neural network for a budget."""

__version__ = "0.1.0"
