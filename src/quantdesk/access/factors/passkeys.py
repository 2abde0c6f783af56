"""Passkeys: what an authenticator is asked, and what its answers are worth. Pure.

Web Authentication, https://www.w3.org/TR/webauthn-3/: §7.1 registering, §7.2 verifying. User
verification is always required, so that a passkey is two factors in one. No attestation is asked
for: which make of authenticator it is does not matter here. The signature counter is left to the
caller, who compares it where two requests at once cannot both pass.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import webauthn
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_attestation_object,
    parse_client_data_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from quantdesk.access.factors.challenges import LIFETIME_MS
from quantdesk.access.factors.model import Credential, Passkey, Site
from quantdesk.access.model import Account
from quantdesk.core.errors import Refused

_ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,  # Windows Hello on older machines
]
_FORMATS: Final = (AttestationFormat.NONE, AttestationFormat.PACKED)
"""What browsers send when nobody asks for attestation (§5.1.3: self attestation is kept)."""
_ID_BYTES_MAX: Final = 1023  # §4, Credential ID
_MALFORMED: Final = (
    WebAuthnException, InvalidSignature, UnsupportedAlgorithm,
    ValueError, TypeError, LookupError, AttributeError, RecursionError,
)  # fmt: skip
"""What the library raises over bytes that mean nothing."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What a new passkey is known by."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


def creation_options(
    site: Site, account: Account, challenge: bytes, known: Sequence[Passkey]
) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is asked: a discoverable passkey."""
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=site.name,
        user_name=account.email or account.name,
        user_id=account.id.bytes,
        challenge=challenge,
        timeout=LIFETIME_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_described(known),
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json_dict(options)


def request_options(site: Site, challenge: bytes, known: Sequence[Passkey] = ()) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is asked; no known ones: any discoverable one."""
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        timeout=LIFETIME_MS,
        allow_credentials=_described(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def challenge_of(credential: Credential) -> bytes:
    """Return the challenge an answer is about; raise `Refused` (`passkey.invalid`)."""
    try:
        said = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    except _MALFORMED:
        raise invalid("the answer cannot be read") from None
    if said.cross_origin:
        raise invalid("the page was inside a page of another origin")
    return said.challenge


def credential_id_of(credential: Credential) -> bytes:
    """Return which passkey answers; raise `Refused` (`passkey.invalid`)."""
    try:
        return base64url_to_bytes(credential["rawId"])
    except _MALFORMED:
        raise invalid("the answer cannot be read") from None


def user_of(credential: Credential) -> UUID:
    """Return whose passkey answers, as it says itself; raise `Refused` (`passkey.invalid`)."""
    try:
        return UUID(bytes=base64url_to_bytes(credential["response"]["userHandle"]))
    except _MALFORMED:
        raise invalid("the answer does not say whose passkey it is") from None


def registered(site: Site, credential: Credential, challenge: bytes) -> Registered:
    """Return the passkey that was made; raise `Refused` (`passkey.invalid`)."""
    _refuse_attestation(credential)
    try:
        made = webauthn.verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
        # A key that is no key would be found out only when somebody needs it.
        decoded_public_key_to_cryptography(decode_credential_public_key(made.credential_public_key))
    except _MALFORMED:
        raise invalid("the answer is not of a passkey made here just now") from None
    if not 0 < len(made.credential_id) <= _ID_BYTES_MAX:
        raise invalid("the passkey's name is too long")
    if made.credential_id != credential_id_of(credential):
        raise invalid("the answer names two passkeys")
    return Registered(
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        backed_up=made.credential_backed_up,
    )


def asserted(site: Site, credential: Credential, challenge: bytes, passkey: Passkey) -> int:
    """Return the signature counter of an answer; raise `Refused` (`passkey.invalid`).

    The caller holds it against the last one.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=list(site.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _MALFORMED:
        raise invalid("the answer is not of this passkey, to this desk, just now") from None
    return verified.new_sign_count


def invalid(detail: str) -> Refused:
    """Return the refusal of an answer that proves nothing."""
    return Refused(detail, code="passkey.invalid")


def _refuse_attestation(credential: Credential) -> None:
    """Keep the library's readers of certificates and makers' formats away from strangers."""
    try:
        made = parse_attestation_object(
            base64url_to_bytes(credential["response"]["attestationObject"])
        )
        if made.fmt in _FORMATS and made.att_stmt.x5c is None:
            return
    except _MALFORMED:
        raise invalid("the answer cannot be read") from None
    raise invalid("the answer holds an attestation that nobody asked for")


def _described(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in known]
