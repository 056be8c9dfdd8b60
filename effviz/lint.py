"""Public names of lint: rules of thumb about efficient networks, with fixes. The code is in `effviz.advice.lint`."""

from effviz.advice.lint import RULES, Finding, Fix, Gain, Rule, gain, lint

__all__ = ["RULES", "Finding", "Fix", "Gain", "Rule", "gain", "lint"]
