"""What is a network, what is a space: plain data, no torch."""
