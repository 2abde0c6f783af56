"""What all ways to sign in read and answer, for OpenAPI."""

from typing import Final

from quantdesk.api.sign_in import factor_shapes, holdings, oauth, owner_keys, passwords, wallets

VIEWS: Final = (
    *wallets.VIEWS,
    holdings.HoldingsView,
    *passwords.VIEWS,
    *factor_shapes.VIEWS,
    *oauth.VIEWS,
    *owner_keys.VIEWS,
)
