"""From a plan to a record: prepare, fit, generate, score, record; each stage atomic, keyed and resumable."""
