"""An earlier flowsam under the names of today, for `python -m tests.labels_record --at`.

Rules that it does not have are there in name only: what is asked of them is skipped.
"""

import sys

import flowsam
from flowsam import Flow, Perturbation

if not hasattr(Perturbation, "kind"):
    FAMILIES = ((1, "l_1"), (1.5, "1<p<2"), (2, "l_2"), (3, "2<p<inf"), (float("inf"), "l_inf"))
    KINDS = {f"l_{p}-SAM": kind for p, kind in FAMILIES}
    KINDS |= {"GD": "GD", "unnormalised SAM": "unnormalised"}
    Perturbation.kind = property(lambda rule: KINDS[rule.name])


class Missing(Perturbation):
    """A rule that this revision does not have."""

    kind = ""


def asam(step, p=2):
    """In place of adaptive SAM."""
    missing = Missing(2, step, False)
    kind = {1: "adaptive l_1", 2: "adaptive"}.get(p, "adaptive l_inf")
    object.__setattr__(missing, "kind", kind)
    return missing


def unless_missing(call, skipped):
    """A function of flows that skips those of a missing rule."""

    def asked(flow, *arguments, **options):
        if isinstance(flow, Flow) and isinstance(flow.perturbation, Missing):
            raise skipped
        return call(flow, *arguments, **options)

    return asked


def main():
    """Record with what this revision has."""
    from flowsam import portrait
    from flowsam.portrait import planes

    if not hasattr(flowsam, "asam"):
        flowsam.asam = asam
    for name in ("BalancedPlane", "ImbalancePlane", "RadiusPlane", "WeightPlane"):
        if not hasattr(portrait, name):
            setattr(portrait, name, getattr(planes, name))
    from tests import labels_record

    for name in ("limit", "limits", "solve", "phase_portrait"):
        call = getattr(labels_record, name)
        setattr(labels_record, name, unless_missing(call, labels_record.TooLong))
    return labels_record.main()


if __name__ == "__main__":
    sys.exit(main())
