"""lmcourse: the helper package of an interactive course on large models. Import what you use, when you use it."""

__version__ = "0.1.0"
