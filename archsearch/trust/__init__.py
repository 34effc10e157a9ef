"""Which evaluator to believe: rank correlations with networks that were trained alone, and what each costs."""
