"""A progress display that keeps what it is told."""

from v2f_bench.interfaces import Silent


class Heard(Silent):
    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)
