"""Prepared data: the store of voices and faces, and the protocols that say what is learned from and what is tested."""
