"""Compares a file of known answers with this implementation."""


def check(_vectors: object) -> list[str]:
    """One sentence for each answer that differs."""
    raise ValueError("there is no file of known answers yet")
