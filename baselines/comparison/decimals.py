"""Numbers as decimals: what is rounded to zero has no minus."""

from __future__ import annotations


def decimals(number: float, digits: int = 3, *, sign: bool = False) -> str:
    """A number with so many decimals, "-0.812".

    Args:
        number: which.
        digits: how many stand after the point.
        sign: whether numbers above zero have one, and then zero too: "+0.000".
    """
    text = f"{number:{'+' if sign else ''}.{digits}f}"
    return text.replace("-", "+" if sign else "") if float(text) == 0 else text
