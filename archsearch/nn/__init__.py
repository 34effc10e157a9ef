"""The same ops as torch modules."""
