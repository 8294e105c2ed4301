"""Every play connector, found by presence: its exchanges on file say what must come of them; its map of codes is total."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from whitefelt.kernel import registry
from whitefelt.kernel.money import Money
from whitefelt.wagering.ports import Answer, Endpoint, Message, PlayCode, Refused

EXCHANGES = Path(__file__).parents[1] / "connectors" / "play"
#: The wallet's clock and the secrets under which a vendor's exchanges were written.
SETTINGS = {
    "whitefelt": (
        datetime.fromtimestamp(1760000000, UTC),
        {"key_id": "key_test", "secret": "whitefelt-test-secret"},
    ),
}


def exchanges() -> list[Path]:
    return sorted(EXCHANGES.glob("*/*.http"))


def read(path: Path) -> tuple[dict[str, str], str, dict[str, str], bytes]:
    """Notes, path, headers (lower case) and body of an exchange file."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    lines = head.decode().splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    request, *headers = [line for line in lines if not line.startswith("#")]
    named = {name.lower(): value for name, value in (line.split(": ", 1) for line in headers)}
    return notes, request.split(" ")[1].lstrip("/"), named, body


def told(message: Message) -> str:
    """A message in the words of the files' `expect`."""
    words = [message.kind]
    if message.amount is not None:
        words.append(f"amount={message.amount.units}")
    for name, value in (("ref", message.ref), ("round", message.round_ref), ("target", message.target_ref)):
        if value is not None:
            words.append(f"{name}={value}")
    return " ".join([*words, *(["closes"] if message.closes else [])])


@pytest.mark.parametrize("path", exchanges(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_exchanges_on_file(path: Path):
    notes, operation, headers, body = read(path)
    assert notes["source"] and notes["grade"], "every exchange names its source and its grade"
    now, secrets = SETTINGS[path.parent.name]
    connector = registry.connector("play", path.parent.name)
    endpoint = Endpoint("public", "http://wallet.example/callbacks/play/public", {}, secrets)
    try:
        came = told(connector.decode(endpoint, operation, headers, body, now))
    except Refused as refused:
        came = f"refused {refused.code.value}"
    assert came == notes["expect"]


@pytest.mark.parametrize("name", sorted(registry.connectors("play")))
def test_every_connector_has_exchanges_good_and_bad_and_a_total_map_of_codes(name: str):
    expectations = [read(path)[0]["expect"] for path in exchanges() if path.parent.name == name]
    assert any(one.startswith("refused") for one in expectations)
    assert any(not one.startswith("refused") for one in expectations)
    connector = registry.connector("play", name)
    assert set(connector.CODES) == set(PlayCode)
    message = Message("bet", "p", "EUR", ref="t")
    for code in PlayCode:
        reply = connector.encode(Answer(code, message, "1", False, *[Money(1, "EUR")] * 4))
        assert 200 <= reply.status < 600 and reply.body, code
        assert connector.encode(Answer(code)).body, f"{code} before anything is known"


def test_the_documented_test_vector_is_what_the_connector_computes():
    text = (Path(__file__).parents[2] / "docs/protocols/native-play.md").read_text().partition("## Test vector")[2]
    vector = dict(line.split(None, 2)[:2] if len(line.split()) == 2 else (line.split(None, 2)[0] + line.split(None, 2)[1], line.split(None, 2)[2])
                  for line in (one.strip() for one in text.splitlines()) if line)  # fmt: skip
    connector = registry.connector("play", "whitefelt")
    signed = connector.sign(vector["keyid"], vector["secret"], vector["timestamp"], vector["body"].encode())
    assert signed == vector["signature"]
