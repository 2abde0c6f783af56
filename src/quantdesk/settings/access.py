"""Settings of the edge: who may come in, how they are written to, where the desk listens."""

from typing import Literal

from pydantic import Field

from quantdesk.settings.section import Section


class OAuthSettings(Section):
    """A provider people may sign in with; OpenID Connect needs its issuer alone."""

    issuer: str
    """Its address, such as `https://accounts.google.com`."""
    client_id: str
    """This desk's registration there."""
    client_secret_file: str = ""
    """File (mode 0600) with the registration's secret; empty for public clients."""
    scope: str = "openid email profile"
    """What is asked for."""
    authorize_url: str = ""
    """Where browsers go, of a provider without OpenID Connect; so the next two."""
    token_url: str = ""
    """Where codes are exchanged."""
    userinfo_url: str = ""
    """Where it says who signed in."""
    subject_field: str = "id"
    """The field of that answer which names a person for ever."""


class AccessSettings(Section):
    """Who may come in, and for how long."""

    token_days: int = Field(7, ge=1, le=30)
    """Days for which an access token is good."""
    session_days: int = Field(30, ge=1, le=365)
    """Days after which a session that nobody renewed is over."""
    registration: Literal["open", "invite"] | None = None
    """`open`: who signs in first becomes a trader. Unset: `invite` on devnet and mainnet."""
    sites: tuple[str, ...] = ()
    """Where people reach this desk, such as `https://HOST`, with commas; unset is loopback."""
    unverified: Literal["trade", "refused"] | None = None
    """Of an address nobody proved. Unset: `refused` on devnet and mainnet, else `trade`."""
    orders_per_s: float | None = Field(None, gt=0)
    """Orders a second of one account; unset 200, and no bound for the owner's key."""
    shared_rates: bool = False
    """Count requests together with other processes on this database."""
    rp_id: str = ""
    """Domain that passkeys belong to; empty is the host of the first site. A change voids them."""
    oauth: dict[str, OAuthSettings] = Field(default_factory=dict)
    """Providers by name, each a section such as `[access.oauth.google]`; see `docs/security.md`."""
    master_key_file: str = ""
    """File (mode 0600) with the master keys; empty is `master.key` in the home."""


class NoticeSettings(Section):
    """Who is told of security events, beside the log."""

    webhook_url: str = ""
    """Address that takes each event as JSON, signed; empty is none."""
    webhook_secret: str = ""
    """What both sides sign with."""
    email: str = ""
    """Mailbox that gets each event as a letter; empty is none."""
    slack_url: str = ""
    """Incoming webhook of a Slack channel; empty is none."""


class MailSettings(Section):
    """How letters with links are sent."""

    smtp_host: str = ""
    """Server that takes letters; empty keeps them in `mail` in the data folder."""
    smtp_port: int = Field(587, ge=1, le=65_535)
    """Its port."""
    smtp_security: Literal["starttls", "tls", "off"] = "starttls"
    """How the way there is kept private; `off` only on this machine."""
    smtp_user: str = ""
    """Who hands them in; empty signs in nowhere."""
    smtp_password_file: str = ""
    """File (mode 0600) with that user's password."""
    smtp_ca_file: str = ""
    """PEM file of an own certificate authority; empty trusts the machine's."""
    sender: str = ""
    """Who letters are from, such as `desk@example.com`."""
    smtp_timeout_s: float = Field(20, gt=0, le=60)
    """For a whole letter."""


class EvmSettings(Section):
    """The node that contract wallets are asked of when they sign in (ERC-1271)."""

    rpc_url: str = ""
    """Its JSON-RPC; empty signs in no contract wallets. Other wallets need none."""
    chain_id: int = Field(1, ge=1)
    """EIP-155 number of its chain, written into the texts that EVM wallets sign."""


class ApiSettings(Section):
    """The HTTP and WebSocket edge."""

    host: str = "127.0.0.1"
    """Address to listen on; other than loopback only behind TLS."""
    port: int = Field(4000, ge=0, le=65_535)
    """Port to listen on; 0 takes a free one."""
    tls_cert: str = ""
    """File with the TLS certificate and its chain in PEM; empty speaks plain HTTP."""
    tls_key: str = ""
    """File (mode 0600) with the certificate's private key in PEM."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of reverse proxies, like 10.0.0.0/8, with commas: their X-Forwarded-* count."""
    hosts: tuple[str, ...] = ()
    """Names by which clients call the desk, with commas; IP addresses and localhost always do."""
    cors_origins: tuple[str, ...] = ()
    """Other origins whose pages may use the desk, like https://app.example.com, with commas."""
    connections: int = Field(5_000, ge=1)
    """Connections held open at once."""
    connections_per_address: int = Field(256, ge=1)
    """Of one address; this machine's own are not bounded."""
    insecure: bool = False
    """Listen on other than loopback without TLS or a trusted proxy, knowingly."""
