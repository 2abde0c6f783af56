"""Challenges: asking a wallet to sign, and hearing what it signed, at most once.

    ask    a text of the desk's own with a fresh nonce, kept as its hash for five minutes
    answer the nonce is used up and that is committed; only then is anything looked at

Neither looks at accounts: a known address is answered exactly as an unknown one. A contract wallet
is asked after the nonce is gone and outside of any transaction, so a slow node holds nothing up.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from quantdesk.access.acts import Act, Tell
from quantdesk.access.audit.store import note
from quantdesk.access.model import Origin
from quantdesk.access.wallets import nonces, signatures, store, texts
from quantdesk.access.wallets.addresses import canonical
from quantdesk.access.wallets.model import ChainName, Challenge, Proof, Purpose, Site
from quantdesk.access.wallets.port import ContractWallets
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools

OPEN_PER_NETWORK_MAX: Final = 64
"""Nonces one network may hold open. There is no bound for an address: anybody may name anybody's,
and could keep its owner out."""
_KEPT_MAX: Final = 50_000
_REMEMBERED_MS: Final = 60 * 60_000  # past their end, to tell a replay from an invention

Entropy = Callable[[int], bytes]
"""Returns that many bytes that nobody can guess."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a text is wanted for, where, and for what; `chain_id` is the EIP-155 one, of EVM."""

    chain: ChainName
    address: str
    site: Site
    chain_id: int | None = None
    purpose: Purpose = Purpose.SIGN_IN
    from_browser: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be signed; `browser` is the secret that the asking browser shall keep."""

    message: str
    nonce: str
    expires_ms: int
    browser: str | None


class Machine(msgspec.Struct, frozen=True):
    """What the machine gives: time, identifiers, and bytes that nobody can guess."""

    clock: Clock
    new_id: NewId
    entropy: Entropy


class Challenges:
    """Asks wallets to sign and hears them; `networks` is the Chain ID of each chain's texts."""

    def __init__(
        self,
        *,
        pools: Pools,
        machine: Machine,
        networks: Mapping[ChainName, str],
        contracts: ContractWallets | None,
        tell: Tell,
        kept_max: int = _KEPT_MAX,
    ) -> None:
        self._pools = pools
        self._machine = machine
        self._networks = networks
        self._contracts = contracts
        self._tell = tell
        self._kept_max = kept_max
        self._swept_at_s = 0

    async def ask(self, wish: Wish, *, origin: Origin) -> Asked:
        """Return a text for a wallet to sign.

        Raises `Refused` (`wallet.address`, `chain.mismatch`) or `Unavailable`
        (`nonce.too_many`).
        """
        nonce, browser = self._secret(), self._secret() if wish.from_browser else None
        challenge = self._challenge(wish, browser)
        network = nonces.network(origin.ip)
        now_ms = challenge.issued_ms
        async with self._pools.write.transaction() as c:
            await self._sweep(c, now_ms)
            held = await store.open_nonces(c, network=network, now_ms=now_ms)
            if held >= OPEN_PER_NETWORK_MAX:
                raise Unavailable(
                    f"{held} texts wait to be signed where you are; sign one, or wait five minutes",
                    code="nonce.too_many",
                )
            await store.add_nonce(c, challenge, hashed=nonces.digest(nonce), network=network)
        return Asked(
            message=texts.written(challenge, nonce),
            nonce=nonce,
            expires_ms=challenge.expires_ms,
            browser=browser,
        )

    async def _sweep(self, c: Connection, now_ms: int) -> None:
        # Counting what is kept takes longer than all the rest: a flood must not pay it each time.
        if (second := now_ms // 1000) != self._swept_at_s:
            self._swept_at_s = second
            await store.sweep(c, before_ms=now_ms - _REMEMBERED_MS, kept_max=self._kept_max)

    async def answer(self, proof: Proof, *, purpose: Purpose, origin: Origin) -> Challenge:
        """Return the challenge that a wallet has signed; its nonce is gone, whatever comes out.

        Raises `Refused` (`nonce.unknown`, `.used`, `.expired`, `.purpose`, `.site`, `.browser`,
        `.wallet`, `message.changed`, `signature.wrong`), or `Unavailable` (`evm.*`) when a contract
        wallet cannot be asked.
        """
        try:
            return await self._answer(proof, purpose, origin)
        except DeskError as problem:
            self._tell(self._failed(proof, purpose, origin, problem.code))
            raise

    async def _answer(self, proof: Proof, purpose: Purpose, origin: Origin) -> Challenge:
        nonce = nonces.found_in(proof.message)
        if nonce is None:
            raise _refused(nonces.UNKNOWN)
        challenge = await self._spend(nonce, origin)
        now_ms = self._machine.clock.now_ms()
        fault = nonces.fault(challenge, proof, nonce=nonce, purpose=purpose, now_ms=now_ms)
        if fault is not None:
            raise _refused(fault)
        if not await self._signed(challenge, proof):
            raise _refused(nonces.UNSIGNED)
        return challenge

    async def _spend(self, nonce: str, origin: Origin) -> Challenge:
        hashed = nonces.digest(nonce)
        now_ms = self._machine.clock.now_ms()
        async with self._pools.write.transaction() as c:
            challenge = await store.spend(c, hashed, now_ms=now_ms)
            if challenge is not None:
                return challenge
            before = await store.spent(c, hashed)
            if before is not None:
                await note(c, self._replayed(before, origin))
        raise _refused(nonces.UNKNOWN if before is None else nonces.USED)

    async def _signed(self, challenge: Challenge, proof: Proof) -> bool:
        message = proof.message.encode()
        if challenge.chain is ChainName.SOLANA:
            return signatures.signed_on_solana(challenge.address, message, proof.signature)
        signature = signatures.evm_bytes(proof.signature)
        if signature is None:
            return False
        hashed = signatures.personal_hash(message)
        if signatures.evm_signer(hashed, signature) == challenge.address:
            return True
        # A contract answers for its address on its own chain only: on another chain the same
        # address may be somebody else's.
        if self._contracts is None or challenge.chain_id != str(self._contracts.chain_id):
            return False
        return await self._contracts.accepts(challenge.address, digest=hashed, signature=signature)

    def _challenge(self, wish: Wish, browser: str | None) -> Challenge:
        now_ms = self._machine.clock.now_ms()
        if wish.chain_id is not None and wish.chain is not ChainName.EVM:
            raise Refused("only EVM chains have a chainId", code="chain.mismatch")
        return Challenge(
            chain=wish.chain,
            address=canonical(wish.chain, wish.address),
            chain_id=str(wish.chain_id or self._networks[wish.chain]),
            purpose=wish.purpose,
            site=wish.site,
            issued_ms=now_ms,
            expires_ms=now_ms + nonces.LIFE_MS,
            browser=None if browser is None else nonces.digest(browser),
        )

    def _secret(self) -> str:
        return self._machine.entropy(nonces.SECRET_BYTES).hex()

    def _failed(self, proof: Proof, purpose: Purpose, origin: Origin, code: str) -> Act:
        signing_in = purpose is Purpose.SIGN_IN
        return Act(
            id=self._machine.new_id(),
            at_ms=self._machine.clock.now_ms(),
            action="sign_in.failed" if signing_in else "request.refused",
            origin=origin,
            about=f"wallet:{proof.address}",
            code=code,
        )

    def _replayed(self, challenge: Challenge, origin: Origin) -> Act:
        return Act(
            id=self._machine.new_id(),
            at_ms=self._machine.clock.now_ms(),
            action="nonce.replayed",
            origin=origin,
            about=f"wallet:{challenge.address}",
            code="nonce.used",
        )


def _refused(fault: nonces.Fault) -> Refused:
    code, detail = fault
    return Refused(detail, code=code)
