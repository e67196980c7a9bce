"""Command lines for tests."""


def amended(line, changed):
    """Return a line with options changed: an option is given once."""
    options = (str(word) for word in changed if str(word).startswith("--"))
    names = {word.partition("=")[0] for word in options}
    places = [k for k, word in enumerate(line) if word in names]
    gone = {k for place in places for k in (place, place + 1)}
    return [*(word for k, word in enumerate(line) if k not in gone), *changed]
