"""A gateway that keeps the promises of a council's privacy notice."""

__version__ = "0.1.0"
