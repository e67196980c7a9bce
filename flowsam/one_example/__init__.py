"""One example, in rescaled time: event-driven runs for every rule, any depth, any signs."""
