"""The human study: planned, exported from runs as a folder to give out, served or hosted, read back and scored.

    plan ──▶ export: runs ──▶ site/ (given out), key.json (kept) ──▶ answers (files, or serve's data base) ──▶ score

`designs.py` says what each kind of question shows and what its answers mean; `runs.py` is the only module that reads
runs, and `results.py` says what comes out.
"""
