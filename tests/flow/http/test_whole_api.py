"""Whatever the document of the API allows, and much that it does not, is answered without failing.

Schemathesis makes requests from the OpenAPI document of a running desk, right and wrong ones; the
seed is fixed, so that a run is the same every time.
"""

import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.flow.process.running import Process

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own dependencies
    import schemathesis
    from schemathesis import GenerationMode

pytestmark = pytest.mark.filterwarnings("ignore")
EXAMPLES = 12
SOCKETS = "/ws"


def _operations(url: str) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    return [one for one in found if not one.path.startswith(SOCKETS)]


def _ask(operation: Any, key: str, codes: set[int]) -> None:  # noqa: ANN401 - of schemathesis
    """Make requests of one operation with a key; no answer is a failure of the desk."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:  # noqa: ANN401 - of schemathesis
        answer = case.call(headers={"Authorization": f"Bearer {key}"}, timeout=60)
        codes.add(answer.status_code)
        told = "".join(answer.headers.get("content-type", ()))
        assert answer.status_code != 500, (operation.label, answer.text)
        if answer.status_code >= 400:
            assert told == "application/problem+json", (operation.label, answer.text)

    ask()


def test_that_nothing_makes_the_desk_fail(running: Process) -> None:
    operations = _operations(running.url)
    assert len(operations) > 70
    codes: set[int] = set()
    for operation in operations:
        for key in (running.key, "nobody's"):
            _ask(operation, key, codes)
    assert {200, 400, 401, 404} <= codes
    assert '"event": "http.unexpected"' not in running.said()
