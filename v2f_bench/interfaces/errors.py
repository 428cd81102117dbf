"""Errors that a user sees as one or two lines, without a traceback: what went wrong, and what to do next."""


class BenchError(Exception):
    """Base of every error whose message is written for the person at the terminal."""


class UsageError(BenchError):
    """A wrong name, option or combination in what the user asked for."""


class DataError(BenchError):
    """A data folder, file or recording that cannot be used."""


class PluginError(BenchError):
    """A plugin that cannot be loaded, or that breaks its contract. The message names the plugin."""


class NotAvailable(BenchError):
    """Something optional is missing (weights, an extra, a label). What needs it is reported as not available."""
