"""The helpers lie beside the tests, and workers must find them too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "stac"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
_known = os.environ.get("PYTHONPATH", "")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE), str(HERE.parent / "stac"), str(HERE.parent.parent), *([_known] if _known else [])]
)
