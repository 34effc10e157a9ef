"""Does a choice matter? Differences between networks that are alike in all but that choice, and what they show."""
