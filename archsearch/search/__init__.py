"""Which network next: one Optuna study a run, hard budgets, no network trained twice."""
