"""Minor units as people and files write them: `150` at scale 2 is `1.50`. No floats anywhere."""

import re

_DECIMAL = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?", re.ASCII)
MAX_DIGITS = 19


def major(amount_minor: int, scale: int, *, signed: bool = False) -> str:
    """The amount with `scale` digits behind the point; `signed` puts a plus before credits."""
    sign = "-" if amount_minor < 0 else "+" if signed and amount_minor > 0 else ""
    digits = str(abs(amount_minor)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else sign + digits


def minor(text: str, scale: int) -> int:
    """The minor units of a decimal number. Raises ValueError for what is none.

    Digits behind the point beyond the scale must be zeros: nothing is rounded.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no decimal number")
    sign, whole, fraction = found[1], found[2], found[3] or ""
    if fraction[scale:].strip("0"):
        raise ValueError(f"{text!r} has more than {scale} digits behind the point")
    digits = whole + fraction[:scale].ljust(scale, "0")
    if len(digits.lstrip("0")) > MAX_DIGITS or int(digits) > 2**63 - 1:
        raise ValueError(f"{text!r} is too large")
    return -int(digits) if sign == "-" else int(digits)
