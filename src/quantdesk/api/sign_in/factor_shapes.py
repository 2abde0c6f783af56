"""What goes in and out of the routes of second factors; passkeys as browsers write them.

https://www.w3.org/TR/webauthn-3/#dictdef-registrationresponsejson, …-authenticationresponsejson
"""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, field

_BYTES_MAX = 16_384
_Base64 = Annotated[str, Meta(max_length=_BYTES_MAX)]
_CredentialId = Annotated[str, Meta(min_length=1, max_length=1400)]
_Word = Annotated[str, Meta(max_length=64)]
_Ticket = Annotated[str, Meta(min_length=1, max_length=512)]
_Digits = Annotated[str, Meta(min_length=6, max_length=6, pattern="^[0-9]{6}$")]
_Recovery = Annotated[str, Meta(min_length=1, max_length=64)]
_Password = Annotated[str, Meta(min_length=1, max_length=1024)]
Key = Annotated[str, Meta(min_length=1, max_length=128)]
"""The owner's key."""
_Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class AttestationResponse(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What an authenticator says of a passkey it made."""

    client_data_json: _Base64 = field(name="clientDataJSON")
    attestation_object: _Base64
    authenticator_data: _Base64 | None = None
    transports: Annotated[list[_Word], Meta(max_length=16)] = field(default_factory=list)
    public_key: _Base64 | None = None
    public_key_algorithm: int | None = None


class NewCredential(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A passkey that was just made: `PublicKeyCredential.toJSON()`."""

    id: _CredentialId
    raw_id: _CredentialId
    type: Literal["public-key"]
    response: AttestationResponse
    authenticator_attachment: _Word | None = None
    client_extension_results: dict[str, Any] = field(default_factory=dict)


class AssertionResponse(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What an authenticator answers to a challenge."""

    client_data_json: _Base64 = field(name="clientDataJSON")
    authenticator_data: _Base64
    signature: _Base64
    user_handle: _Word | None = None
    attestation_object: _Base64 | None = None


class UsedCredential(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A passkey's answer to a challenge: `PublicKeyCredential.toJSON()`."""

    id: _CredentialId
    raw_id: _CredentialId
    type: Literal["public-key"]
    response: AssertionResponse
    authenticator_attachment: _Word | None = None
    client_extension_results: dict[str, Any] = field(default_factory=dict)


class TicketRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The ticket of a sign-in that waits for a second factor."""

    ticket: _Ticket


class SecondStepRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A ticket and exactly one second factor."""

    ticket: _Ticket
    code: _Digits | None = None
    recovery_code: _Recovery | None = None
    passkey: UsedCredential | None = None
    cookie: bool = False


class PasskeyRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A sign-in by passkey alone."""

    passkey: UsedCredential
    cookie: bool = False


class ProofWallet(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A signed message of `POST /api/auth/nonce`."""

    address: Annotated[str, Meta(min_length=1, max_length=64)]
    message: Annotated[str, Meta(min_length=1, max_length=4096)]
    signature: Annotated[str, Meta(min_length=1, max_length=8192)]


class ProofRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Exactly one proof of presence; a second factor where the account has one.

    `key` is the owner's, and counts on the desk's own machine alone.
    """

    code: _Digits | None = None
    recovery_code: _Recovery | None = None
    passkey: UsedCredential | None = None
    password: _Password | None = None
    wallet: ProofWallet | None = None
    key: Key | None = None


class CodeRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Six digits of the app that is being added."""

    code: _Digits


class NewPasskeyRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A passkey that was just made, and what its owner calls it."""

    name: _Name
    passkey: NewCredential


class OptionsView(msgspec.Struct, frozen=True, rename="camel"):
    """What goes to `navigator.credentials`, by `PublicKeyCredential.parse…OptionsFromJSON`."""

    public_key: dict[str, Any]


class SeedView(msgspec.Struct, frozen=True, rename="camel"):
    """The seed of an app, shown this once; `uri` goes into a QR code."""

    secret: str
    uri: str
    expires_at: str


class RecoveryCodesView(msgspec.Struct, frozen=True, rename="camel"):
    """Recovery codes, shown this once; none where the account has had theirs."""

    recovery_codes: tuple[str, ...]


class TotpView(msgspec.Struct, frozen=True, rename="camel"):
    """The authenticator app of an account."""

    added_at: str


class PasskeyView(msgspec.Struct, frozen=True, rename="camel"):
    """A passkey; `backedUp` says that its owner's other devices have it too."""

    passkey_id: UUID
    name: str
    backed_up: bool
    added_at: str
    used_at: str | None


class AddedPasskeyView(msgspec.Struct, frozen=True, rename="camel"):
    """A passkey that was added, and the recovery codes made with a first factor."""

    passkey: PasskeyView
    recovery_codes: tuple[str, ...]


class FactorsView(msgspec.Struct, frozen=True, rename="camel"):
    """The second factors of the caller's account."""

    methods: tuple[str, ...]
    totp: TotpView | None
    passkeys: list[PasskeyView]
    recovery_codes_left: int


class ProofView(msgspec.Struct, frozen=True, rename="camel"):
    """When the person behind the session proved to be there, and until when that counts."""

    proven_at: str
    fresh_until: str


VIEWS: Final = (
    TicketRequest,
    SecondStepRequest,
    PasskeyRequest,
    ProofRequest,
    CodeRequest,
    NewPasskeyRequest,
    OptionsView,
    SeedView,
    RecoveryCodesView,
    AddedPasskeyView,
    FactorsView,
    ProofView,
)
"""What these routes read and answer, for OpenAPI."""
