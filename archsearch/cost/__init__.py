"""What does it take: prices of ops, totals of networks, budgets."""
