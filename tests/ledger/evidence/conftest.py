from tests.support.forger import forger

__all__ = ["forger"]
