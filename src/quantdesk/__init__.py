"""QuantDesk: a self-hosted trading desk for on-chain markets.

The tree is the flow: sources → ingest → bus → engines → venues → chains → store → hub → browser.
"""
