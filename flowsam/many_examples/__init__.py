"""Several examples, in the clock log(1 + t): late times, stiffness, sliding."""
