"""An account the localnet starts with; pools and wallets are described in these."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account as it stands in the first slot; `lamports` None means rent exemption exactly."""

    address: str
    owner: str
    data: bytes
    lamports: int | None = None
