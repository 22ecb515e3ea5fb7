"""What `make client-types` does: write the types of the TypeScript client from the API's description.

Only the bodies, not the paths: the client's own methods stand for those. With a path as its argument it
writes there instead, and with a second one it takes the generator from that folder of packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tgbridge.app import ENDPOINTS
from tgbridge.web.openapi import describe

LONGEST: Final = 400  # characters
CLIENT: Final = Path(__file__).parent.parent / "clients" / "typescript"


def main(target: Path = CLIENT / "src/generated.ts", packages: Path = CLIENT / "node_modules") -> None:
    """Write them. Raises CalledProcessError if the generator fails."""
    document = describe(ENDPOINTS, cookie_name="tgbridge") | {"paths": {}}
    with tempfile.TemporaryDirectory() as directory:
        described = Path(directory, "openapi.json")
        described.write_text(json.dumps(document), encoding="utf-8")
        subprocess.run((packages / ".bin/openapi-typescript", described, "--output", target), check=True)
    # A hundred codes in one line: nobody can see which is new, nor merge two of them.
    lines = target.read_text(encoding="utf-8").splitlines()
    wrapped = (line.replace(" | ", "\n            | ") if len(line) > LONGEST else line for line in lines)
    target.write_text("\n".join(wrapped) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
