"""What may an untrained network reach? A model of accuracy from the trials so far, and what to try next."""
