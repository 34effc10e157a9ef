"""How good is this network: evaluators, which differ in price only."""
