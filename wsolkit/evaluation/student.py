"""Student's t: the distribution of a mean whose spread is itself estimated from few values.

Sources: W. S. Gosset ("Student"), The probable error of a mean, Biometrika 6, 1908; the degrees of freedom of a sum of
variances by F. E. Satterthwaite, An approximate distribution of estimates of variance components, Biometrics 2, 1946;
the incomplete beta function by the continued fraction of Abramowitz and Stegun, Handbook of mathematical functions,
26.5.8, in the way of W. J. Lentz, Applied Optics 15, 1976.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["degrees_of_freedom", "t_quantile", "t_tail"]

TINY = 1e-300


def t_tail(t: float, df: float) -> float:
    """Return how likely a value of Student's t is that lies as far from 0 as ``t``, on either side.

    Args:
        t: the value.
        df: degrees of freedom, above 0, not necessarily whole; infinite for the normal distribution.

    >>> round(t_tail(2.0, 10), 6), round(t_tail(1.959963984540054, math.inf), 6)
    (0.073388, 0.05)
    """
    if math.isinf(df):
        return math.erfc(abs(t) / math.sqrt(2))
    return incomplete_beta(df / (df + t * t), df / 2, 0.5)


def t_quantile(df: float, tail: float = 0.05) -> float:
    """Return the value beyond which, on both sides together, a share ``tail`` of Student's t lies.

    >>> round(t_quantile(2), 4), round(t_quantile(math.inf), 4)
    (4.3027, 1.96)
    """
    t = 0.0
    for _ in range(200):  # Newton's steps: the tail falls ever slower, so none goes too far
        step = (t_tail(t, df) - tail) / (2 * t_density(t, df))
        t += step
        if not step > 1e-12 * t:
            break
    return t


def t_density(t: float, df: float) -> float:
    """Return the density of Student's t.

    >>> round(t_density(0, 1), 6), round(t_density(0, math.inf), 6)
    (0.31831, 0.398942)
    """
    if math.isinf(df):
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    logs = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - (df + 1) / 2 * math.log1p(t * t / df)
    return math.exp(logs) / math.sqrt(df * math.pi)


def degrees_of_freedom(variances: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of estimated variances (Satterthwaite).

    Args:
        variances: each variance with its own degrees of freedom; those that are 0 do not count.

    >>> degrees_of_freedom([(2.0, 5), (0.0, 2)]), degrees_of_freedom([(1.0, 4), (1.0, 4)])
    (5.0, 8.0)
    """
    below = sum(variance**2 / df for variance, df in variances if variance > 0)
    return sum(variance for variance, _ in variances) ** 2 / below if below > 0 else math.inf


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function of x in [0, 1].

    >>> incomplete_beta(0.5, 1, 1), round(incomplete_beta(0.25, 2, 3), 6)
    (0.5, 0.261719)
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return min(1.0, math.exp(front) / a * continued_fraction(x, a, b))


def continued_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, to the precision of floats."""
    c, d = 1.0, 1 / nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / nonzero(1 + step * d), nonzero(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def nonzero(value: float) -> float:
    """Return a number that may be divided by."""
    return value if abs(value) > TINY else TINY
