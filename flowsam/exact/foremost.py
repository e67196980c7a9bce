"""Which coordinates of a wide start are first in anything: those alone are looked at closely.

Times are bounded from below first. With y = (z_k^2 - z_k(0)^2)/2, the same for all k, y' = |mu|
prod |z_k|; where s = -, x_k = a_k + rho takes the place of z_k, and falls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowsam.exact import linf_signs
from flowsam.exact.linf_deep import BOUND, SHARP, Deep, read
from flowsam.exact.linf_slides import Slide
from flowsam.network import two_least
from flowsam.shapes import Codes, Float, Int, Mask, Masks, Theta, Vector

WIDE = 4096  # coordinates of which most are looked at no closer
FEW = 1000  # whose ends come first
FIRST = 50  # of them, whose slides do
BLOCK = 2**15  # looked at together: they stay in the cache
PANELS = 4  # of a bound of a time, each four times as long
NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)
_ROUNDED = 1e-9  # how far a bound of a time is rounded
_PLAIN = 1e-3  # and how far a size has to be from rho, relative, for one of a slide
_MOST = np.finfo(float).max


@dataclass(frozen=True, eq=False)
class Bounds:
    """What is known of the coordinates of a start before any is looked at closely."""

    soonest: Float[np.ndarray, "2 d"]  # times of two weights at 0, and of running away
    escapes: Mask
    open: Mask  # may be on a separatrix, or rest: what counts where nobody escapes


def of(theta: Theta, mu: Vector, rho: float) -> Codes:
    """Return the coordinates of one start that are first in anything, and one a fate."""
    if mu.size <= WIDE:
        return np.arange(mu.size)
    same = repeated(theta, mu)
    third = same & np.roll(same, 1)  # two are a tie
    bounds = _bounds(theta, mu, rho)
    until = np.full((2, 2), np.inf)
    kept = np.arange(0)
    for side in (1, 0):
        queue = np.flatnonzero((bounds.escapes == side) & ~third)
        queue = queue[np.argsort(bounds.soonest[0, queue])]
        for block in np.split(queue, range(FEW, queue.size, BLOCK)):
            last = np.minimum(until[side, :, None] * (1 + _ROUNDED), _MOST)
            late = (bounds.soonest[:, block] > last).all(axis=0)
            here = np.union1d(kept, block[~late])
            if here.size > kept.size:
                course = read(theta[:, here], mu[here], rho)
                ahead, until = _ahead(course, bounds.soonest[:, here])
                kept = here[ahead]
    if np.isfinite(until[1, 0]):
        return kept
    few = np.append(queue[bounds.open[queue]], queue[:1])
    for block in np.split(few, range(BLOCK, few.size, BLOCK)):
        course = read(theta[:, block], mu[block], rho)
        kept = np.union1d(kept, block[_one_a_fate(course)])
    return kept


def repeated(theta: Theta, mu: Vector) -> Mask:
    """Tell which coordinates are as the one before."""
    same = (theta[:, 1:] == theta[:, :-1]).all(axis=0) & (mu[1:] == mu[:-1])
    return np.append(False, same)


def _bounds(theta: Theta, mu: Vector, rho: float) -> Bounds:
    """Return them for one start, a block of coordinates at a time."""
    count = mu.size
    soonest = np.empty((2, count))
    told = np.empty((2, count), dtype=bool)
    for begin in range(0, count, BLOCK):
        some = slice(begin, begin + BLOCK)
        soonest[:, some], told[:, some] = _bounded(theta[:, some], mu[some], rho)
    return Bounds(soonest, *told)


def _bounded(
    theta: Theta, mu: Vector, rho: float
) -> tuple[Float[np.ndarray, "2 d"], Masks]:
    """Return the bounds of a few coordinates, and whether each escapes and is open.

    Who escapes does after a crossing, if any; and where prod z < 0 once s = +, the smallest |z|
    goes to 0 and back before, for ever where two are equal.
    """
    size = np.sort(np.abs(theta), axis=0)
    along = linf_signs.along(theta.T, mu)
    along &= (size[0] > 0) | (rho == 0)  # a weight at 0 is at the end of s = -
    surplus = linf_signs.surplus(size.T, along, rho)
    escapes = surplus > 0
    with np.errstate(all="ignore"):
        fall = size[0] * np.where(along, 2 * rho - size[0], size[0] + 2 * rho)
        x = size + np.where(along, -rho, rho)
        left = x * x - np.where(along, 0.0, fall)
        z = np.where(along, x, np.sqrt(left) - 2 * rho)
        least = np.abs(z).argmin(axis=0)[None]
        own = np.take_along_axis(z, least, axis=0)
        between = size - np.take_along_axis(size, least, axis=0)
        least_z, next_z = two_least(np.abs(z))
        even = size[1] - size[0] <= _ROUNDED * (size[1] + rho)
        fork = next_z - least_z <= _ROUNDED * (next_z + rho)
        side = np.sign(z).prod(axis=0)
        turns = (side < 0) & (along | ~even)
        endless = along & (side <= 0) & (np.count_nonzero(between == 0, axis=0) > 1)
        gaps = np.where(along, between, z - own) * (z + own)
        turn = 2 * _least_of(turns, gaps, own[0] ** 2 / 2)
        free = _least_of(escapes, z * z, np.inf)
        first = _least_of(~(along & escapes), left, fall / 2)
        soonest = np.where(endless, np.inf, first + turn + free) / np.abs(mu)
        runaway = np.where(escapes, 0.0, np.inf)
        if len(size) > BOUND:
            # slides begin at the first zero, or where a weight has crossed and come back: then the
            # z nearest to 0 has passed it
            landed = np.sqrt(left) - rho
            mirrored = (np.arange(len(size))[:, None] == least) & (side < 0)
            landed = np.where(mirrored, 2 * rho - landed, landed)[1:]
            known = ~(along | even | fork | escapes) & (side != 0)
            known &= (np.abs(landed - rho) > _PLAIN * rho).all(axis=0)
            known &= (len(size) <= SHARP) & (rho > 0)
            loose = ~(escapes | known)
            gain = np.where(along, 2 * rho, rho)[loose]
            grown = size[2:].compress(loose, axis=1) + gain
            runaway[loose] = _least_runaway(grown, ~even[loose], rho)
            others = np.sort(landed.compress(known, axis=1), axis=0)
            runaway[known] = (1 - _PLAIN) * _least_after(Slide(others.T, rho))
        later = runaway / np.abs(mu)
    open_ = even | fork | (surplus == 0)
    return np.array([soonest, soonest + later]), np.array([escapes, open_])


def _least_of(who: Mask, squares: Float[np.ndarray, "L d"], until: ArrayLike) -> Vector:
    """Return the bounds of some, and 0 of the others."""
    found = np.zeros(who.shape)
    until = np.broadcast_to(until, who.shape)
    # rows stay whole in memory, unlike by an index
    found[who] = _least_time(squares.compress(who, axis=1), until[who])
    return found


def _least_time(squares: Float[np.ndarray, "L d"], until: ArrayLike) -> Vector:
    """Return a bound from below of int_0^until dy / prod sqrt(q_k + 2 y), by Gauss nodes."""
    # derivatives alternate in sign: Gauss sums are below; the tail's q_k are replaced by their mean
    depth = len(squares)
    edge = two_least(squares)[1] / 2
    total = np.zeros(edge.shape)
    begin = total
    for _ in range(PANELS):
        end = np.minimum(edge, until)
        half = (end - begin) / 2
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            y = begin + half * (1 + node)
            share = half / np.sqrt((squares + 2 * y).prod(axis=0))
            total = total + weight * np.fmax(share, 0.0)  # 0/0 of an empty panel
        begin = end
        edge = 4 * edge
    tail = (squares.mean(axis=0) + 2 * begin) ** (1 - depth / 2) / (depth - 2)
    return total + np.where(np.isinf(until), tail, 0.0)


def _least_runaway(grown: Float[np.ndarray, "l d"], slides: Mask, rho: float) -> Vector:
    """Return a bound of |mu| tau from two weights at 0 to a blow-up of others, `grown` at most."""
    # the sharp one of `first_escape` holds after a slide
    two = np.full((2, slides.size), rho)
    loose = np.concatenate([two, grown + rho]) ** 2
    if len(grown) + 2 > SHARP:
        return _least_time(loose, np.inf)
    far = np.maximum(grown - rho, rho) ** 2
    sharp = _least_of(slides, far, np.inf) / rho**2
    return sharp + _least_of(~slides, loose, np.inf)


def _ahead(
    course: Deep, soonest: Float[np.ndarray, "2 d"]
) -> tuple[Codes, Float[np.ndarray, "2 2"]]:
    """Return who is first in anything, and one a fate; and the times beyond which nobody is.

    Of two weights at 0 and of running away: for those that fall, and for those that escape.
    """
    blow_up = course.escape_time
    first = blow_up.min()
    falls = course.falls & ~course.equal & (course.mu != 0)
    pinned = np.where(falls, course.end, np.inf)
    here = course.slides
    if here.any():
        pinned[here] += _least_slide(course.glide)
    pinned = np.maximum(soonest[0], pinned / course.speed)
    with np.errstate(invalid="ignore"):  # inf - inf of who never falls
        later = soonest[1] - soonest[0]
    if here.any() and BOUND < course.start.shape[-1] <= SHARP:
        later[here] = _least_after(course.glide) / course.speed[here]
    begin = np.array([pinned, pinned + later])
    some = np.argsort(begin[0], kind="stable")[:FIRST]
    last = _last(course, some, first)[0]
    near = (begin <= last[:, None] * (1 + _ROUNDED)).any(axis=0)
    some = np.flatnonzero(near & (begin[0] < np.inf))
    last, foremost = _last(course, some, first)
    few = [*np.argsort(blow_up, kind="stable")[:2], *some[foremost]]
    ahead = np.unique([*few, *_one_a_fate(course)])
    return ahead, np.array([last, [first, first]])


def _least_slide(glide: Slide) -> Vector:
    """Return a bound of |mu| tau of slides: `x^2 <= h` below rho, `2 h / 3` above, 3 h = first."""
    below = np.where(glide.above < 0, 2.0, 3.0).prod(axis=-1)
    with np.errstate(all="ignore"):
        time = _least_time(glide.first.T, glide.span / 2)
    scale = glide.rho ** (1.0 - glide.others.shape[-1]) / 3
    return np.sqrt(below) * scale * np.fmax(time, 0.0)


def _least_after(glide: Slide) -> Vector:
    """Return a bound of |mu| tau from the end of slides to a blow-up of the rest, all above rho."""
    free = glide.above[:, 1] > 0
    some = Slide(glide.others[free], glide.rho)
    rest = (some.first[:, 1:].T + some.span) / 3  # of x^2 at the end
    time = np.full(free.shape, np.inf)
    with np.errstate(all="ignore"):
        time[free] = _least_time(glide.rho**2 * rest, np.inf) / glide.rho**2
    return time


def _one_a_fate(course: Deep) -> Codes:
    """Return the first of each fate, and of those that equal layers hold and do not."""
    codes = (course.fate, course.kept)
    return np.concatenate([np.unique(code, return_index=True)[1] for code in codes])


def _last(
    course: Deep, some: Codes, first: float
) -> tuple[Float[np.ndarray, "2"], Int[np.ndarray, " _"]]:
    """Return the least times of two weights at 0 and of running away that matter, and whose."""
    if not some.size:
        return np.full(2, first), some
    part = read(course.start[some].T, course.mu[some], course.rho)
    times = np.array([part.pinned_time, part.runaway_time])
    last = np.minimum(times.min(axis=1), first)
    depth = part.start.shape[-1]
    if depth <= BOUND or (depth <= SHARP and first == np.inf):
        last[1] = 0.0  # nobody runs away, or ends no race
    return last, times.argmin(axis=1)
