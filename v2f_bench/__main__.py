"""`python -m v2f_bench`, the same as `v2f-bench`."""

from v2f_bench.cli import main

if __name__ == "__main__":
    main()
