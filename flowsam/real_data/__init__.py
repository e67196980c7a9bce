"""Real data without a download: bundled sets, tables, and which features a predictor uses."""
