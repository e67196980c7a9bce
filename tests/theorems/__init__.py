"""One file a claim: a derivation to run, a check at random parameters, a negative control."""
