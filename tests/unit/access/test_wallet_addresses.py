"""An address has one way to be written, and a wrong one is found out before anything is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.wallets.addresses import canonical, chain_of
from quantdesk.access.wallets.model import ChainName
from quantdesk.core.errors import Refused

# https://eips.ethereum.org/EIPS/eip-55#test-cases
_EIP55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
_SOLANA = "6ASf5EcmmEHTgDJ4X4ZT5vT6iHVJBXPg5AN5YoTCpGWt"


@pytest.mark.parametrize("address", _EIP55)
def test_an_evm_address_is_written_with_its_checksum(address: str) -> None:
    assert canonical(ChainName.EVM, address) == address
    assert canonical(ChainName.EVM, address.lower()) == address
    assert canonical(ChainName.EVM, "0x" + address[2:].upper()) == address


@pytest.mark.parametrize(
    "address",
    [
        "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed",  # one capital of the checksum is off
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n",
        "0x\uff15aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "",
        _SOLANA,
    ],
)
def test_what_is_no_evm_address_is_refused(address: str) -> None:
    with pytest.raises(Refused) as refused:
        canonical(ChainName.EVM, address)
    assert refused.value.code == "wallet.address"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "1" * 31,
        "1" * 33,
        _SOLANA[:-1] + "0",
        _SOLANA + "\n",
        " " + _SOLANA,
        _SOLANA[:-2],
        "z" * 44,
        _EIP55[0],
    ],
)
def test_what_is_no_solana_address_is_refused(address: str) -> None:
    with pytest.raises(Refused) as refused:
        canonical(ChainName.SOLANA, address)
    assert refused.value.code == "wallet.address"


def test_a_solana_address_is_itself() -> None:
    assert canonical(ChainName.SOLANA, _SOLANA) == _SOLANA


@given(st.sampled_from(ChainName), st.text(max_size=80))
def test_anything_is_an_address_or_refused(chain: ChainName, text: str) -> None:
    try:
        found = canonical(chain, text)
    except Refused:
        return
    assert canonical(chain, found) == found
    assert chain_of(found) is chain
