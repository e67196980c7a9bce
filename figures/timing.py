"""What a call costs: processor seconds of this process, which other processes do not disturb."""

import time
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module

import numpy as np


def timed(call, *, repeat=1):
    """Return the least processor seconds of several calls, and the last result."""
    spent = []
    with _one_thread():
        for _ in range(repeat):
            begin = time.process_time()
            result = call()
            spent.append(time.process_time() - begin)
    return min(spent), result


@contextmanager
def _one_thread():
    """Keep BLAS and heyoka to one thread, where they are installed."""
    with ExitStack() as stack:
        with suppress(ImportError):
            stack.enter_context(import_module("threadpoolctl").threadpool_limits(1))
        with suppress(ImportError):
            heyoka = import_module("heyoka")
            stack.callback(heyoka.set_nthreads, heyoka.get_nthreads())
            heyoka.set_nthreads(1)
        yield


def relative_error(found, reference, *, floor=1e-300):
    """Return the largest difference over the starts, relative to each one's largest weight."""
    size = np.maximum(np.abs(reference).max(axis=(-2, -1), keepdims=True), floor)
    return float((np.abs(found - reference) / size).max())


def exponent(sizes, seconds):
    """Return the fitted power of a cost, by least squares on logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
