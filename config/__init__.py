"""Typed settings, one section a part of the product."""
