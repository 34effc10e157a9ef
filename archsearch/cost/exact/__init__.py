"""Networks that fit a budget, counted one and all: costs of parts as distributions, joined and met in the middle."""
