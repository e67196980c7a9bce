"""The ledger of claims and the report: what `flowsam verify` and `flowsam reproduce` run."""
