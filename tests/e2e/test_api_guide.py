"""The API guide is true: its commands are run as they stand, in order, in one shell, against the running house."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import House

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_command_of_the_guide_works(house: House) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", (REPOSITORY / "docs/api-guide.md").read_text(), flags=re.M | re.S)
    assert len(blocks) >= 5
    environment = {
        **os.environ,
        **house.stack.env,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GATEWAY": house.gateway.url,
        "PROGRAM": "demo",
        "MARKETER_PASSWORD": house.credentials.passwords["mia"],
        "KEY_ID": house.credentials.key_id,
        "KEY_SECRET": house.credentials.key_secret,
    }
    script = "set -euxo pipefail\n" + "\n".join(blocks)
    done = subprocess.run(["bash", "-c", script], env=environment, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert '"available":12' in done.stdout  # ¥128.90 are 12 stars
    assert '"state":"completed"' in done.stdout
    assert '"closing":2' in done.stdout  # 12 - 10 for the tea
