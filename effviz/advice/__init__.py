"""What to change in a design: scaling rules, budgets, rules of thumb."""
