"""What is measured, and how Prometheus is told. docs/metrics.md is made from `families.py`."""
