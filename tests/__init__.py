"""The test suite; a package, so that theorem tests can import their ledger."""
