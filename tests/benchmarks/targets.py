"""What the rows say about each aim: one ratio a line, time for time, errors beside it."""

from tests.benchmarks.tasks import EVENTS, HEYOKA, LOOP, NUMPY, TORCH

PORTRAIT, L2_PORTRAIT = (f"flowsam phase_portrait, l_{p}-SAM" for p in ("inf", 2))
STREAM, L2_STREAM = (f"flowsam stream_portrait, l_{p}-SAM" for p in ("inf", 2))
# engine, words of its task; the slower one, words of its task; aim
AIMS = (
    (PORTRAIT, "portrait", EVENTS, "grid, l_inf", 1000),
    (PORTRAIT, "portrait", HEYOKA, "grid, l_2", 1000),
    (PORTRAIT, "portrait", NUMPY, "grid, l_2", 1000),
    (L2_PORTRAIT, "portrait", HEYOKA, "grid, l_2", 1000),
    (STREAM, "portrait on disk", HEYOKA, "grid, l_2", 1000),
    (L2_STREAM, "portrait on disk", HEYOKA, "grid, l_2", 1000),
    (NUMPY, "starts, d=2 n=1", LOOP, "starts, d=2 n=1", 40),
    (NUMPY, "starts, d=10 n=20", LOOP, "starts, d=10 n=20", 25),
    (HEYOKA, "starts, d=2 n=1", NUMPY, "starts, d=2 n=1", 10),
    (HEYOKA, "starts, d=2 n=1; rtol 3e-08", NUMPY, "starts, d=2 n=1", 10),
    (HEYOKA, "starts, d=2 n=1", NUMPY, "starts, d=2 n=1; rtol 1e-13", 10),  # at the same error
    (HEYOKA, "grid, l_2", TORCH, "grid, l_2", 30),
    (NUMPY, "grid, l_2", TORCH, "grid, l_2", 30),
)


def targets(rows):
    """Return an entry an aim whose two rows are there: times a start, their ratio, errors."""
    found = []
    for engine, task, other, its_task, aim in AIMS:
        ours, theirs = _row(rows, engine, task), _row(rows, other, its_task)
        if ours and theirs:
            each = [row.seconds / row.starts for row in (ours, theirs)]
            entry = {"engine": engine, "task": ours.task, "than": other, "on": theirs.task}
            entry |= {"seconds": each, "ratio": each[1] / each[0], "aim": aim}
            found.append(entry | {"errors": [ours.error, theirs.error]})
    return found


def _row(rows, engine, task):
    """The first row of an engine on a task, or None; words of its note may follow."""
    these = (row for row in rows if row.engine == engine and task in f"{row.task}; {row.note}")
    return next(these, None)


def show_targets(entries):
    """Print a line each."""
    print("\nseconds a start, how many times faster, and the aim; errors of both")
    for entry in entries:
        ours, theirs = entry["seconds"]
        where = (
            entry["task"] if entry["task"] == entry["on"] else f"{entry['task']} | {entry['on']}"
        )
        print(
            f"  {entry['engine']} {ours:.2g} s, {entry['than']} {theirs:.2g} s ({where}): "
            f"{entry['ratio']:.3g} times, aim {entry['aim']}; errors "
            f"{entry['errors'][0]:.1e}, {entry['errors'][1]:.1e}"
        )
