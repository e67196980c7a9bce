"""A small convolutional network under GD and SAM, and which pixels it looks at while it trains.

Our own choices throughout: the paper's architecture, radius, learning rate, digits and layer are in
no public text. PyTorch (the extra flowsam[deep]) is imported where a run starts, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

CHANNELS = (6, 12)  # of the two convolutional layers, 3 x 3 with a margin of one pixel
SIDE = 8  # scikit-learn's digits are 8 x 8
CHECKS = 40  # looks during a run, evenly spaced in log(1 + step)
MOST = 2000  # images of a data set: all of scikit-learn's, the first of an IDX folder
RATE = 0.1  # the learning rate of every run
ENOUGH = 0.08  # of the training loss: nothing is compared below


@dataclass(frozen=True)
class Rule:
    """What perturbs the weights before each step: GD, l_2, l_inf or ASAM, of radius rho."""

    name: str
    rho: float = 0.0

    def ascent(self, weights, gradients):
        """Return one step a tensor of weights, of norm rho over all of them together."""
        import torch

        if self.name == "l_inf":
            return [self.rho * g.sign() for g in gradients]
        adaptive = self.name == "ASAM"
        units = [w.abs() if adaptive else torch.ones_like(w) for w in weights]
        scaled = [u * g for u, g in zip(units, gradients, strict=True)]
        norm = torch.sqrt(sum((s**2).sum() for s in scaled))
        norm = norm if norm > 0 else torch.ones_like(norm)
        return [self.rho * u * s / norm for u, s in zip(units, scaled, strict=True)]


def sam_step(weights, loss, rule, rate):
    """Return the weights after one step of SAM; `loss` takes a list of tensors."""
    import torch

    gradients = torch.autograd.grad(loss(weights), weights)
    if rule.rho:
        ascent = rule.ascent(weights, gradients)
        moved = zip(weights, ascent, strict=True)
        raised = [(w + e).detach().requires_grad_() for w, e in moved]
        gradients = torch.autograd.grad(loss(raised), raised)
    moved = zip(weights, gradients, strict=True)
    return [(w - rate * g).detach().requires_grad_() for w, g in moved]


@dataclass(frozen=True)
class Digits:
    """A split of scikit-learn's digits, or of an IDX folder's, with what is known of its pixels.

    `strong` are the quarter of the pixels whose class means differ most, a row a class; `dark` the
    quarter whose training images are darkest on average. Images are centred by the training mean
    and divided by one number, the deviation of all training pixels.
    """

    images: np.ndarray  # (n, side, side)
    labels: np.ndarray  # 0, 1, ...
    test_images: np.ndarray
    test_labels: np.ndarray
    strong: np.ndarray  # (classes, pixels), bool
    dark: np.ndarray  # (pixels,), bool

    @cached_property
    def classes(self):
        """How many classes there are."""
        return len(self.strong)

    def shuffled(self, seed):
        """Return the same images with training labels that say nothing about them."""
        order = np.random.default_rng(seed).permutation(len(self.labels))
        return replace(self, labels=self.labels[order])


def quarter(values):
    """Tell the quarter of the entries that are largest, a row at a time."""
    size = values.shape[-1] // 4
    order = np.argsort(-values, axis=-1, kind="stable")
    found = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(found, order[..., :size], True, axis=-1)
    return found


def split(images, labels, seed):
    """Return a random split, three quarters to train on, as `Digits`."""
    order = np.random.default_rng(seed).permutation(len(labels))
    cut = 3 * len(labels) // 4
    train, test = order[:cut], order[cut:]
    labels = np.unique(labels, return_inverse=True)[1]
    raw = images[train].reshape(cut, -1)
    means = np.array([raw[labels[train] == c].mean(axis=0) for c in range(labels.max() + 1)])
    others = (means.sum(axis=0) - means) / (len(means) - 1)
    centred = (images - images[train].mean(axis=0)) / images[train].std()
    return Digits(
        centred[train],
        labels[train],
        centred[test],
        labels[test],
        strong=quarter(np.abs(means - others)),
        dark=quarter(-raw.mean(axis=0)),
    )


def digits(classes, folder=None):
    """Return images and labels of these classes: scikit-learn's, or those of an IDX folder."""
    if folder is None:
        from sklearn.datasets import load_digits

        bunch = load_digits()
        images, labels = bunch.images, bunch.target
    else:
        from flowsam.real_data.tables import idx_array

        images = idx_array(Path(folder), "train-images-idx3-ubyte")
        labels = idx_array(Path(folder), "train-labels-idx1-ubyte")
    kept = np.flatnonzero(np.isin(labels, list(classes)))[:MOST]
    return np.asarray(images[kept], dtype=float), labels[kept]


def start(classes, seed, scale, side=SIDE):
    """Return the weights of the network, PyTorch's own initialisation times `scale`."""
    import torch

    torch.manual_seed(seed)
    first, second = CHANNELS
    layers = (
        torch.nn.Conv2d(1, first, 3, padding=1),
        torch.nn.Conv2d(first, second, 3, padding=1),
        torch.nn.Linear(second * side**2, classes),
    )
    found = [p for layer in layers for p in layer.parameters()]
    return [(scale * p.detach()).requires_grad_() for p in found]


def features(weights, images):
    """Return the second convolutional layer's maps, (n, channels, side, side)."""
    import torch.nn.functional as F

    w1, b1, w2, b2, *_ = weights
    hidden = F.relu(F.conv2d(images, w1, b1, padding=1))
    return F.relu(F.conv2d(hidden, w2, b2, padding=1))


def scores(weights, maps):
    """Return the classes' scores from the maps."""
    return maps.flatten(1) @ weights[4].T + weights[5]


def margins(found, labels):
    """Return the true class's score less the log-sum-exp of the others'."""
    import torch

    own = torch.nn.functional.one_hot(labels, found.shape[1]).bool()
    others = found.masked_fill(own, -torch.inf)
    return found[own] - torch.logsumexp(others, dim=1)


@dataclass(frozen=True)
class Looks:
    """What a run showed, at each of its checks: arrays of length CHECKS."""

    steps: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray
    measures: np.ndarray  # (checks, len(MEASURES))


MEASURES = ("prediction", "gradient", "Grad-CAM", "background")


def shares(values, labels, data):
    """Return the share of `values` (n, pixels) >= 0 on each example's own strong pixels."""
    own = data.strong[labels]
    total = values.sum(axis=1)
    lost = np.full(len(total), np.nan)  # a map that is 0 everywhere
    found = np.divide((values * own).sum(axis=1), total, lost, where=total > 0)
    return np.nanmean(found) if np.isfinite(found).any() else np.nan


def look(weights, data, tensors):
    """Return the four measures on training images.

    prediction: share of sum_j |mean_i x_ij d m_i / d x_ij| on strong pixels, averaged over the
    classes i is in (for a linear predictor the share that flowsam calls major); gradient: of
    |d m_i / d x_ij|; Grad-CAM: of the map relu(sum_k a_k A_k), a_k the mean of d m / d A_k;
    background: of |d m_i / d x_ij| on the darkest quarter.
    """
    import torch

    images, labels = tensors
    images = images.clone().requires_grad_()
    maps = features(weights, images)
    total = margins(scores(weights, maps), labels).sum()
    by_pixel, by_map = torch.autograd.grad(total, (images, maps))
    flat = by_pixel.flatten(1).numpy()
    cam = torch.relu((by_map.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1))
    y = labels.numpy()
    product = flat * images.detach().flatten(1).numpy()
    means = np.abs([product[y == c].mean(axis=0) for c in range(data.classes)])
    classes = np.arange(data.classes)
    dark = np.abs(flat) @ data.dark / np.abs(flat).sum(axis=1)
    return [
        shares(means, classes, data),
        shares(np.abs(flat), y, data),
        shares(cam.detach().flatten(1).numpy(), y, data),
        np.nanmean(dark),
    ]


@dataclass(frozen=True)
class Training:
    """How a network is trained: scale of its start, steps, and examples a step (None: all)."""

    scale: float = 1.0
    steps: int = 800
    batch: int | None = None


def train(data, rule, training, *, seed=0):
    """Train until the loss is below `ENOUGH`, or all steps are taken; return what it looked at."""
    import torch

    torch.set_num_threads(1)
    x = torch.tensor(data.images, dtype=torch.float32)[:, None]
    y = torch.tensor(data.labels)
    test = torch.tensor(data.test_images, dtype=torch.float32)[:, None]
    weights = start(data.classes, seed, training.scale, data.images.shape[1])
    order, steps = np.random.default_rng(seed), training.steps
    checks = np.unique(np.expm1(np.linspace(0, np.log1p(steps), CHECKS)).round().astype(int))
    shown = slice(0, 300)
    found = []
    for step in range(steps + 1):
        if step in checks:
            with torch.no_grad():
                now = scores(weights, features(weights, x))
                loss = torch.nn.functional.cross_entropy(now, y).item()
                told = scores(weights, features(weights, test)).argmax(dim=1).numpy()
            accuracy = (told == data.test_labels).mean()
            found.append([step, loss, accuracy, *look(weights, data, (x[shown], y[shown]))])
        rows = slice(None)
        if training.batch:
            rows = torch.tensor(order.permutation(len(y))[: training.batch])

        def loss_of(weights, rows=rows):
            now = scores(weights, features(weights, x[rows]))
            return torch.nn.functional.cross_entropy(now, y[rows])

        weights = sam_step(weights, loss_of, rule, RATE)
        if found[-1][1] < ENOUGH:
            break
    table = np.array(found)
    return Looks(table[:, 0], table[:, 1], table[:, 2], table[:, 3:])


def at_loss(run, levels):
    """Return the measures where the training loss first passes each level; nan where never."""
    best = np.minimum.accumulate(run.loss)
    found = np.full((len(levels), run.measures.shape[1]), np.nan)
    for row, level in enumerate(levels):
        after = int(np.argmax(best <= level))
        if best[-1] > level or after == 0:
            continue
        left, right = np.log(best[after - 1]), np.log(best[after])
        weight = (left - np.log(level)) / (left - right)
        found[row] = (1 - weight) * run.measures[after - 1] + weight * run.measures[after]
    return found


def at_step(run, step):
    """Return the measures at one step, nan where the run has ended before."""
    if run.steps[-1] < step:
        return np.full(run.measures.shape[1], np.nan)
    return np.array([np.interp(step, run.steps, column) for column in run.measures.T])


def diagonal(data, rule, alpha, levels):
    """Return the diagonal network's share on strong pixels at equal training loss, from flowsam."""
    from flowsam import Data
    from flowsam.real_data.leaning import Uniform, leaning

    signs = 2.0 * data.labels - 1.0
    examples = Data(signs[:, None] * data.images.reshape(len(signs), -1))
    times = np.linspace(0.05, 8.0, 120)
    run = leaning(examples, None, rule, start=Uniform(alpha, 2), log_t=times)
    losses = np.logaddexp(0.0, -run.predictor @ examples.z.T).mean(axis=1)
    best = np.minimum.accumulate(np.nan_to_num(losses, nan=np.inf))
    return np.interp(-levels, -best, run.major, left=np.nan, right=np.nan)


def plan(radii, steps):
    """Return the runs of the figure: a word, the rule, its training; GD first of each word."""
    gd, *balls = [Rule("GD"), *(Rule("l_2", radius) for radius in radii)]
    half = Rule("l_2", balls[-1].rho / 2)
    others = [Rule("l_inf", 0.01), Rule("l_inf", 0.02), Rule("ASAM", 2.0), Rule("ASAM", 4.0)]
    runs = [("3, 5", rule, Training(steps=steps)) for rule in (gd, *balls, *others)]
    runs += [("half scale", rule, Training(0.5, steps)) for rule in (gd, half)]
    runs += [("ten classes", rule, Training(1.0, steps, 64)) for rule in (gd, balls[0])]
    return runs + [("shuffled", rule, Training(steps=steps)) for rule in (gd, balls[0])]


def verdict(shares):
    """Return in how many seeds shares (2, seeds) fall from GD to SAM, with the sign test's p."""
    from scipy.stats import binomtest

    told = shares[:, np.isfinite(shares).all(axis=0)]
    if not told.size:
        return "not reached"
    lower = int((told[1] < told[0]).sum())
    chance = binomtest(lower, told.shape[1]).pvalue
    return f"lower in {lower} of {told.shape[1]} seeds (sign test p = {chance:.2g})"
