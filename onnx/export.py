"""Export a vision-language model to an ONNX pack: ``python onnx/export.py SOURCE -o PACK``."""

import sys
from pathlib import Path

# run by path from a checkout: the package lies one folder up, and this folder must not be in the
# way of the PyPI package of the same name
sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rsvlm_geo.errors import RsvlmError  # noqa: E402
from rsvlm_geo.export.cli import export  # noqa: E402

if __name__ == "__main__":
    try:
        export()
    except RsvlmError as error:
        sys.exit(f"error: {error}")
