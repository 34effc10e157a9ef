"""Where images come from: named splits, decoded once, augmented in batches."""
