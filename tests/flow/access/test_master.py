"""Master keys on a real database: found at a start, renewed, and never lost, whatever is killed."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from solders.keypair import Keypair

from quantdesk.access.master import keyring, store
from quantdesk.access.master.columns import COLUMNS, Column
from quantdesk.access.master.opening import open_master
from quantdesk.access.master.rotation import Rotation
from quantdesk.access.sealing import Sealer
from quantdesk.app import wallets
from quantdesk.chains.solana import keys
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.localnet.process import WALLET_KEY
from quantdesk.store.pool import Pools, connect
from quantdesk.testing.cutting import Knife, lives

pytestmark = pytest.mark.anyio

SEEDS = Column(table="seeds", column="sealed", key=("id",), about="seed:{id}")
TOKENS = Column(
    table="tokens", column="sealed_token", key=("owner", "kind"), about="token:{owner}:{kind}"
)
OURS = (SEEDS, TOKENS)
MANY = 450  # more than two batches


@pytest.fixture
async def sole(database: str, pools: Pools) -> Pools:
    """Give a database tables with secrets, and be the only one that is connected to it."""
    async with pools.write.transaction() as c:
        await c.execute("create table seeds (id integer primary key, sealed bytea)")
        await c.execute(
            "create table tokens (owner text, kind text, sealed_token bytea not null,"
            " primary key (owner, kind))"
        )
    await pools.aclose()
    return await connect(database, write_max=1, read_max=1)


async def filled(pools: Pools, sealer: Sealer, *, many: int = 3) -> None:
    async with pools.write.transaction() as c:
        await c.execute("delete from seeds")
        await c.execute("delete from tokens")
        await c.execute("insert into seeds values (0, null)")
        for number in range(1, many + 1):
            sealed = sealer.seal(b"seed %d" % number, about=f"seed:{number}")
            await c.execute("insert into seeds values ($1, $2)", number, sealed)
        sealed = sealer.seal(b"token", about="token:ann:oauth")
        await c.execute("insert into tokens values ('ann', 'oauth', $1)", sealed)


async def opened(pools: Pools, sealer: Sealer) -> list[bytes]:
    async with pools.read.connection() as c:
        rows = await c.fetch("select * from seeds where sealed is not null order by id")
        found = [sealer.open(row["sealed"], about=f"seed:{row['id']}") for row in rows]
        token = await c.fetchval("select sealed_token from tokens")
    return [*found, sealer.open(token, about="token:ann:oauth")]


def rotation(home: Path, pools: Pools, said: list[str]) -> Rotation:
    return Rotation(
        home / keyring.FILE,
        pools=pools,
        files=wallets.files(home),
        columns=OURS,
        say=said.append,
    )


async def start(home: Path, pools: Pools, columns: Sequence[Column] = OURS) -> Sealer:
    """Do what a desk does with its master key at a start."""
    return await open_master(
        home / keyring.FILE, pools=pools, files=wallets.files(home), columns=columns
    )


async def test_that_a_first_start_makes_the_key_and_later_ones_use_it(
    tmp_path: Path, sole: Pools
) -> None:
    async with sole:
        first = await start(tmp_path, sole)
        sealed = first.seal(b"seed", about="x")
        assert (await start(tmp_path, sole)).open(sealed, about="x") == b"seed"


async def test_that_a_rotation_moves_everything_and_drops_the_old_key(
    tmp_path: Path, sole: Pools
) -> None:
    async with sole:
        old = await start(tmp_path, sole)
        await filled(sole, old, many=MANY)
        trader, maker = wallets.localnet(tmp_path, old)
        before = await opened(sole, old)
        said: list[str] = []

        done = await rotation(tmp_path, sole, said).run()

        assert (done.newest, done.secrets, done.resumed) == (2, MANY + 1 + 2, False)
        assert set(keyring.read(tmp_path / keyring.FILE)) == {2}
        new = await start(tmp_path, sole)
        assert await opened(sole, new) == before
        assert wallets.localnet(tmp_path, new) == (trader, maker)
        with pytest.raises(Corrupt):
            await opened(sole, old)
        assert [line for line in said if line.startswith("seeds")][-1] == f"seeds: {MANY} secrets"


async def test_that_a_rotation_killed_at_any_step_loses_nothing_and_goes_on(
    tmp_path: Path, sole: Pools
) -> None:
    async with sole:
        keypair = Keypair.from_seed(bytes(range(32)))
        seen = set()
        for number, knife in enumerate(lives()):
            home = tmp_path / str(number)
            home.mkdir()
            (home / WALLET_KEY).write_text(json.dumps(list(bytes(keypair))))
            (home / WALLET_KEY).chmod(0o600)
            old = Sealer(keyring.make(home / keyring.FILE))
            wallets.localnet(home, old)
            await filled(sole, old)
            before = await opened(sole, old)

            with knife:
                await _cut(rotation(home, sole, []), knife).run()

            left = set(keyring.read(home / keyring.FILE))
            seen.add(frozenset(left))
            between = await start(home, sole)  # a desk may be started in between
            assert await opened(sole, between) == before
            assert wallets.localnet(home, between)[0] == keypair
            done = await rotation(home, sole, []).run()
            assert done.resumed == (len(left) == 2)
            after = await start(home, sole)
            assert set(keyring.read(home / keyring.FILE)) == {done.newest}
            assert await opened(sole, after) == before
            assert wallets.localnet(home, after)[0] == keypair
        assert seen == {frozenset({1}), frozenset({1, 2}), frozenset({2})}
        assert number > 30, "there are that many steps to be killed at"


def _cut(made: Rotation, knife: Knife) -> Rotation:
    """Let each step that is told, and each batch, be the last of a life."""
    made._say = knife.cut(made._say)
    whole = made._batch

    async def batch(sealer: Sealer, column: Column) -> int:
        knife.cut(lambda: None)()
        done = await whole(sealer, column)
        knife.cut(lambda: None)()
        return done

    made._batch = batch  # type: ignore[method-assign]
    return made


async def test_that_a_missing_key_is_told_and_never_made_anew(tmp_path: Path, sole: Pools) -> None:
    async with sole:
        await filled(sole, await start(tmp_path, sole))
        (tmp_path / keyring.FILE).unlink()

        with pytest.raises(Refused) as caught:
            await start(tmp_path, sole)

        assert caught.value.code == "master.missing"
        assert "access.master_key_file" in caught.value.detail
        assert not (tmp_path / keyring.FILE).exists()


async def test_that_a_sealed_wallet_alone_keeps_a_fresh_key_from_being_made(
    tmp_path: Path, sole: Pools
) -> None:
    async with sole:
        wallets.devnet(tmp_path, await start(tmp_path, sole))
        (tmp_path / keyring.FILE).unlink()
        with pytest.raises(Refused) as caught:
            await start(tmp_path, sole)
        assert caught.value.code == "master.missing"
        assert not (tmp_path / keyring.FILE).exists()


@pytest.mark.parametrize("of", ["rows", "wallet"])
async def test_that_another_key_of_the_same_number_is_refused(
    tmp_path: Path, sole: Pools, of: str
) -> None:
    async with sole:
        sealer = await start(tmp_path, sole)
        if of == "rows":
            await filled(sole, sealer)
        else:
            wallets.devnet(tmp_path, sealer)
        (tmp_path / keyring.FILE).unlink()
        keyring.make(tmp_path / keyring.FILE)

        with pytest.raises(Refused) as caught:
            await start(tmp_path, sole)

        assert caught.value.code == "master.wrong"


async def test_that_an_old_copy_of_the_file_is_refused(tmp_path: Path, sole: Pools) -> None:
    async with sole:
        await filled(sole, await start(tmp_path, sole))
        copy = (tmp_path / keyring.FILE).read_bytes()
        await rotation(tmp_path, sole, []).run()
        (tmp_path / keyring.FILE).write_bytes(copy)
        with pytest.raises(Refused) as caught:
            await start(tmp_path, sole)
        assert caught.value.code == "master.missing"
        assert "master key 2" in caught.value.detail


async def test_that_nothing_is_rotated_while_a_desk_is_connected(
    tmp_path: Path, sole: Pools, database: str
) -> None:
    async with sole:
        await filled(sole, await start(tmp_path, sole))
        async with await connect(database, write_max=2, read_max=2):
            with pytest.raises(Refused) as caught:
                await rotation(tmp_path, sole, []).run()
        assert caught.value.code == "master.in_use"
        assert set(keyring.read(tmp_path / keyring.FILE)) == {1}


async def test_that_a_secret_that_does_not_open_keeps_the_old_key(
    tmp_path: Path, sole: Pools
) -> None:
    async with sole:
        await filled(sole, await start(tmp_path, sole))
        async with sole.write.transaction() as c:
            await c.execute("update seeds set sealed = sealed || '\\x00' where id = 2")
            await c.execute("update seeds set sealed = overlay(sealed placing '\\x00' from 30)"
                            " where id = 3")  # fmt: skip
        with pytest.raises(Corrupt) as caught:
            await rotation(tmp_path, sole, []).run()
        assert "seed:3" in caught.value.detail
        assert set(keyring.read(tmp_path / keyring.FILE)) == {1, 2}


async def test_that_every_column_of_sealed_secrets_is_registered(pools: Pools) -> None:
    async with pools.read.connection() as c:
        there = await store.sealed_columns(c)
    assert there == {(each.table, each.column) for each in COLUMNS}


async def test_that_a_column_nobody_registered_is_found(sole: Pools) -> None:
    async with sole:
        async with sole.write.connection() as c:
            await c.execute("create table apps (seed bytea, signature bytea, hash bytea)")
            there = await store.sealed_columns(c)
        assert there >= {("seeds", "sealed"), ("tokens", "sealed_token"), ("apps", "seed")}
        assert not there & {("apps", "signature"), ("apps", "hash")}
        assert there != {(each.table, each.column) for each in COLUMNS}


def test_that_bytes_are_written_in_hexadecimal() -> None:
    column = Column(table="asked", column="sealed", key=("hash",), about="oauth:{hash}")
    assert column.about_row({"hash": b"\x00\xff"}) == "oauth:00ff"


def test_that_a_register_of_more_than_names_is_our_bug() -> None:
    for wrong in (
        {"table": "seeds; drop table seeds"},
        {"column": "sealed--"},
        {"key": ()},
        {"about": "seed:{other}"},
    ):
        with pytest.raises(AssertionError):
            Column(**{"table": "seeds", "column": "sealed", "key": ("id",), "about": "x"} | wrong)  # type: ignore[arg-type]


def test_that_a_plain_wallet_of_an_older_desk_is_taken_over(tmp_path: Path) -> None:
    made = keys.make(tmp_path / WALLET_KEY, entropy=bytes)
    sealer = Sealer({1: bytes(32)})
    trader, maker = wallets.localnet(tmp_path, sealer)
    assert trader == made != maker
    assert {file.number() for file in wallets.files(tmp_path)} == {1, None}
