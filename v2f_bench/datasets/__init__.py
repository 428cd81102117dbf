"""Bundled data sets, each registered by an entry point of its own as a third party's is."""
