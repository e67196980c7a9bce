"""Run the explorer's kernel without a browser: node reads a question, answers in JSON."""

import json
import shutil
import subprocess
from importlib.resources import files

import pytest

from flowsam.explorer.formulas import script
from flowsam.explorer.page import KERNEL

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None, reason="node is not installed: no engine for kernel.js"
)


def ask(expression, data, folder):
    """The value of an expression in `data`, by kernel.js; NaN and inf as null."""
    folder_of = files("flowsam.explorer")
    kernel = "\n".join(folder_of.joinpath(f"{name}.js").read_text("utf-8") for name in KERNEL)
    read = (
        'import { readFileSync } from "node:fs"; const data = JSON.parse(readFileSync(0, "utf8"));'
    )
    tell = f"process.stdout.write(JSON.stringify({expression}));"
    path = folder / "kernel.mjs"
    path.write_text("\n".join([script(), kernel, read, tell]), encoding="utf-8")
    run = subprocess.run(
        [NODE, path], input=json.dumps(data), capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)
