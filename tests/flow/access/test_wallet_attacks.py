"""Whoever does not hold the wallet, here, now, stays outside, and is noted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.access.wallet_stage import BROWSER, ELSEWHERE, HERE, Person, Stage, code

from quantdesk.access.wallets.challenges import OPEN_PER_NETWORK_MAX
from quantdesk.store.pool import Pools, WritePool
from quantdesk.testing.wallets import AnyWallet, EvmWallet, SolanaWallet

pytestmark = pytest.mark.anyio

Json = Any
SOLANA, EVM = SolanaWallet(), EvmWallet()
WALLETS: list[AnyWallet] = [SOLANA, EVM]
each_wallet = pytest.mark.parametrize("wallet", WALLETS, ids=["solana", "evm"])


@pytest.fixture
def stage(pools: Pools) -> Stage:
    return Stage(pools)


def failures(stage: Stage) -> list[str]:
    """Return the reasons of the failed sign-ins that were told, and fail for anything else."""
    assert {act.action for act in stage.told} <= {"sign_in.failed"}
    assert all(act.origin.ip == stage.ip and act.origin.request_id for act in stage.told)
    return [act.code for act in stage.told]


@each_wallet
async def test_a_text_that_was_used_is_no_good_again(stage: Stage, wallet: AnyWallet) -> None:
    async with stage.client() as person:
        message = (await person.asked(wallet))["message"]
        assert (await person.shows(wallet, message)).status_code == 200
        again = await person.shows(wallet, message)

    assert code(again) == "nonce.used"
    assert len(stage.door.welcomed) == 1
    assert failures(stage) == ["nonce.used"]
    replayed = (await stage.acts())[-1]
    assert (replayed["action"], replayed["about"]) == ("nonce.replayed", f"wallet:{wallet.address}")


@each_wallet
@pytest.mark.parametrize(
    "attempt",
    [
        {"signature": "1" * 64},
        {"signature": "0x" + "11" * 65},
        {"signature": "?"},
        {"address": "?"},
    ],
)
async def test_a_wrong_try_uses_the_text_up(
    stage: Stage, wallet: AnyWallet, attempt: dict[str, str]
) -> None:
    async with stage.client() as person:
        message = (await person.asked(wallet))["message"]
        wrong = await person.shows(wallet, message, **attempt)
        right = await person.shows(wallet, message)

    assert code(wrong) in {"signature.wrong", "nonce.wallet"}
    assert code(right) == "nonce.used"
    assert (stage.door.welcomed, await stage.count("accounts")) == ([], 0)


@each_wallet
async def test_of_two_at_once_one_gets_in(stage: Stage, wallet: AnyWallet) -> None:
    async with stage.client() as one, stage.client() as two:
        for _ in range(5):
            message = (await one.asked(wallet))["message"]
            answers = await asyncio.gather(one.shows(wallet, message), two.shows(wallet, message))
            assert min(answer.status_code for answer in answers) == 200
            (late,) = (answer for answer in answers if answer.status_code != 200)
            assert code(late) == "nonce.used"
    assert len(stage.door.welcomed) == 5


@each_wallet
async def test_a_text_of_ones_own_making_is_refused(stage: Stage, wallet: AnyWallet) -> None:
    async with stage.client() as person:
        asked = await person.asked(wallet)
        for nonce in ("0" * 64, "12345678", asked["nonce"][::-1]):
            made = asked["message"].replace(asked["nonce"], nonce)
            assert code(await person.shows(wallet, made)) == "nonce.unknown"
        assert code(await person.shows(wallet, "sign me in")) == "nonce.unknown"
        assert (await person.shows(wallet, asked["message"])).status_code == 200
    assert failures(stage) == ["nonce.unknown"] * 4


@each_wallet
async def test_a_text_is_good_for_five_minutes(stage: Stage, wallet: AnyWallet) -> None:
    async with stage.client() as person:
        early, late = [(await person.asked(wallet))["message"] for _ in range(2)]
        await stage.clock.advance(299.999)
        assert (await person.shows(wallet, early)).status_code == 200
        await stage.clock.advance(0.001)
        assert code(await person.shows(wallet, late)) == "nonce.expired"


@each_wallet
async def test_a_text_of_another_domain_is_refused(stage: Stage, wallet: AnyWallet) -> None:
    async with stage.client() as here, stage.client(ELSEWHERE) as elsewhere:
        message = (await elsewhere.asked(wallet))["message"]
        assert message.startswith("other.example.com wants")
        assert code(await here.shows(wallet, message)) == "nonce.site"
        message = (await here.asked(wallet))["message"]
        relabelled = message.replace("desk.example.com", "other.example.com")
        assert code(await here.shows(wallet, relabelled)) == "message.changed"


async def test_a_host_that_is_not_the_desks_gets_no_text(stage: Stage) -> None:
    async with stage.client("https://evil.example") as person:
        body = {"address": SOLANA.address, "chain": "solana"}
        assert code(await person.post("/api/auth/nonce", body)) == "site.unknown"
        answer = await person.post(
            "/api/auth/nonce",
            body,
            {"host": "evil.example", "x-forwarded-host": "desk.example.com"},
        )
        assert code(answer) == "site.unknown"


@each_wallet
async def test_a_text_for_another_wallet_is_refused(stage: Stage, wallet: AnyWallet) -> None:
    thief = type(wallet)(2)  # type: ignore[call-arg]
    async with stage.client() as person:
        message = (await person.asked(wallet))["message"]
        assert code(await person.shows(thief, message)) == "nonce.wallet"
        message = (await person.asked(wallet))["message"]
        posing = await person.shows(thief, message, address=wallet.address)
        assert code(posing) == "signature.wrong"
        message = (await person.asked(wallet))["message"].replace(wallet.address, thief.address)
        assert code(await person.shows(thief, message)) == "nonce.wallet"
    assert stage.door.welcomed == []


async def test_a_text_of_another_chain_is_refused(stage: Stage) -> None:
    async with stage.client() as person:
        message = (await person.asked(SOLANA))["message"]
        assert code(await person.shows(EVM, message)) == "nonce.wallet"
        message = (await person.asked(EVM, chainId=10))["message"]
        other = message.replace("Chain ID: 10", "Chain ID: 1")
        assert code(await person.shows(EVM, other)) == "message.changed"
        body = {"address": SOLANA.address, "chain": "solana", "chainId": 1}
        assert code(await person.post("/api/auth/nonce", body)) == "chain.mismatch"
        for address, chain in ((SOLANA.address, "evm"), (EVM.address, "solana")):
            refused = await person.post("/api/auth/nonce", {"address": address, "chain": chain})
            assert code(refused) == "wallet.address"


@each_wallet
async def test_a_text_of_another_browser_is_refused(stage: Stage, wallet: AnyWallet) -> None:
    async with stage.client() as owner, stage.client() as thief:
        message = (await owner.asked(wallet, headers=BROWSER))["message"]
        await thief.asked(wallet, headers=BROWSER)
        assert code(await thief.shows(wallet, message)) == "nonce.browser"
        message = (await owner.asked(wallet, headers=BROWSER))["message"]
        owner.http.cookies.clear()
        assert code(await owner.shows(wallet, message)) == "nonce.browser"


async def test_a_cookie_that_somebody_planted_is_replaced(stage: Stage) -> None:
    async with stage.client() as person:
        person.http.cookies.set("qd_nonce", "planted", domain="desk.example.com", path="/api")
        message = (await person.asked(SOLANA, headers=BROWSER))["message"]
        assert person.http.cookies["qd_nonce"] != "planted"
        assert (await person.shows(SOLANA, message)).status_code == 200


@each_wallet
async def test_a_text_for_linking_is_no_good_for_signing_in(
    stage: Stage, wallet: AnyWallet
) -> None:
    async with stage.client() as person:
        message = (await person.asked(wallet, purpose="link"))["message"]
        assert code(await person.shows(wallet, message)) == "nonce.purpose"


@each_wallet
async def test_no_byte_of_the_text_can_be_another(stage: Stage, wallet: AnyWallet) -> None:
    """Each text is asked for anew, and signed as it is shown; unit tests change every byte."""
    async with stage.client() as person:
        length = len((await person.asked(wallet))["message"])
        for at in range(0, length, 7):
            stage.ip = f"192.0.2.{at % 250}"
            message = (await person.asked(wallet))["message"]
            other = "X" if message[at] != "X" else "Y"
            changed = message[:at] + other + message[at + 1 :]
            answer = await person.shows(wallet, changed)
            assert code(answer) in {"message.changed", "nonce.unknown"}, (at, message[at])
    assert stage.door.welcomed == []


async def test_whatever_is_shown_is_refused_and_never_breaks(stage: Stage) -> None:
    texts = st.text(max_size=200)

    @given(st.data())
    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def shows(data: st.DataObject) -> None:
        shown.append({name: data.draw(texts) for name in ("address", "signature", "message")})

    shown: list[dict[str, Any]] = []
    shows()
    async with stage.client() as person:
        for body in shown:
            answer = await person.post("/api/auth/wallet", body)
            assert answer.status_code < 500, answer.text
            assert code(answer) in {"nonce.unknown", "request.malformed"}


async def test_a_desk_by_invitation_lets_in_whom_it_knows(stage: Stage) -> None:
    async with stage.client() as person:
        await person.signs_in(SOLANA)
    stage.registration = "invite"
    async with stage.client() as person:
        assert (await person.signs_in(SOLANA)).status_code == 200
        stranger = await person.signs_in(EVM)

    assert code(stranger) == "account.uninvited"
    assert (await stage.count("accounts"), await stage.count("wallets")) == (1, 1)
    assert failures(stage) == ["account.uninvited"]


async def test_a_disabled_account_stays_outside(stage: Stage) -> None:
    async with stage.client() as person:
        await person.signs_in(SOLANA)
        async with stage.pools.write.connection() as c:
            await c.execute("update accounts set disabled_at = now()")
        refused = await person.signs_in(SOLANA)

    assert code(refused) == "account.disabled"
    assert failures(stage) == ["account.disabled"]


class Watched:
    """A connection that writes down the statements it is given."""

    def __init__(self, inner: Json, seen: list[str]) -> None:
        self._inner = inner
        self._seen = seen

    def __getattr__(self, name: str) -> Json:
        real = getattr(self._inner, name)

        async def call(query: str, *rest: Json) -> Json:
            self._seen.append(query)
            return await real(query, *rest)

        return call


@each_wallet
async def test_nobody_learns_who_has_an_account(
    stage: Stage, wallet: AnyWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A known address and an unknown one are worth the same statements and the same answers."""
    seen: list[str] = []
    transaction = WritePool.transaction

    @asynccontextmanager
    async def watched(self: WritePool) -> AsyncIterator[Json]:
        async with transaction(self) as c:
            yield Watched(c, seen)

    async def tried(person: Person, victim: AnyWallet) -> tuple[list[str], Json]:
        seen.clear()
        asked = await person.asked(victim)
        answer = await person.shows(thief, asked["message"], address=victim.address)
        told = {**answer.json(), "requestId": ""}
        shape = [len(line.split(": ")[0]) for line in asked["message"].splitlines()[2:]]
        return seen.copy(), (answer.status_code, told, shape, set(asked))

    thief, stranger = type(wallet)(2), type(wallet)(3)  # type: ignore[call-arg]
    async with stage.client() as person:
        await person.signs_in(wallet)
        monkeypatch.setattr(WritePool, "transaction", watched)
        known = await tried(person, wallet)
        unknown = await tried(person, stranger)

    assert known == unknown
    assert known[0], "something was watched"
    assert not any("accounts" in query or " wallets" in query for query in known[0])


async def test_open_texts_are_bounded_by_network(stage: Stage) -> None:
    body = {"address": SOLANA.address, "chain": "solana"}
    async with stage.client() as person:
        texts = [(await person.asked(SOLANA))["message"] for _ in range(OPEN_PER_NETWORK_MAX)]
        refused = await person.post("/api/auth/nonce", body)
        assert (refused.status_code, code(refused)) == (429, "nonce.too_many")
        assert refused.headers["retry-after"]
        stage.ip = "192.0.2.2"
        assert (await person.post("/api/auth/nonce", body)).status_code == 200
        stage.ip = "192.0.2.1"
        assert (await person.shows(SOLANA, texts[0])).status_code == 200, "a used one is not open"
        assert (await person.post("/api/auth/nonce", body)).status_code == 200
        await stage.clock.advance(300)
        assert (await person.post("/api/auth/nonce", body)).status_code == 200


async def test_a_whole_subnet_is_one_network(stage: Stage) -> None:
    async with stage.client() as person:
        for number in range(OPEN_PER_NETWORK_MAX):
            stage.ip = f"2001:db8::{number:x}"
            await person.asked(SOLANA)
        refused = await person.post(
            "/api/auth/nonce", {"address": SOLANA.address, "chain": "solana"}
        )
    assert code(refused) == "nonce.too_many"


async def test_old_texts_are_forgotten(stage: Stage) -> None:
    async with stage.client() as person:
        for _ in range(5):
            await person.asked(SOLANA)
        await stage.clock.advance(300 + 3_600)
        await person.asked(SOLANA)
        assert await stage.count("wallet_nonces") == 6, "still told from inventions"
        await stage.clock.advance(1)
        await person.asked(SOLANA)
        assert await stage.count("wallet_nonces") == 2


async def test_no_crowd_fills_the_table(stage: Stage) -> None:
    stage.kept_max = 10
    texts = []
    async with stage.client() as person:
        for number in range(30):
            stage.ip = f"192.0.2.{number}"
            await stage.clock.advance(1)
            texts.append((await person.asked(SOLANA))["message"])
        assert await stage.count("wallet_nonces") == 11
        for newest in texts[-11:]:
            assert (await person.shows(SOLANA, newest)).status_code == 200
        assert code(await person.shows(SOLANA, texts[-12])) == "nonce.unknown"


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/api/auth/nonce", {"address": "1" * 65}),
        ("/api/auth/nonce", {"address": ""}),
        ("/api/auth/nonce", {"chain": "bitcoin"}),
        ("/api/auth/nonce", {"chainId": 0}),
        ("/api/auth/nonce", {"chainId": 2**53}),
        ("/api/auth/nonce", {"chainId": "1"}),
        ("/api/auth/nonce", {"purpose": "everything"}),
        ("/api/auth/nonce", {"domain": "evil.example"}),
        ("/api/auth/nonce", {"nonce": "0" * 64}),
        ("/api/auth/wallet", {"message": "m" * 2_049}),
        ("/api/auth/wallet", {"signature": "1" * 8_195}),
        ("/api/auth/wallet", {"address": "1" * 65}),
        ("/api/auth/wallet", {"role": "owner"}),
        ("/api/auth/wallet", {"accountId": "1"}),
    ],
)
async def test_oversized_and_unknown_fields_are_refused(
    stage: Stage, path: str, changed: dict[str, Json]
) -> None:
    right = {
        "/api/auth/nonce": {"address": SOLANA.address, "chain": "solana"},
        "/api/auth/wallet": {"address": SOLANA.address, "signature": "1", "message": "m"},
    }
    async with stage.client() as person:
        answer = await person.post(path, {**right[path], **changed})

    assert (answer.status_code, code(answer)) == (400, "request.malformed")
    assert len(answer.text) < 1_000
    assert await stage.count("wallet_nonces") == 0


async def test_only_json_signs_in(stage: Stage) -> None:
    """A page of another site can post a form or plain text without being asked."""
    async with stage.client() as person:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = await person.http.post(
                "/api/auth/wallet", content=b"{}", headers={"content-type": kind, "origin": HERE}
            )
            assert (answer.status_code, code(answer)) == (415, "request.not_json")
