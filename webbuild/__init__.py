"""Builds the desk's page: `web/` in TypeScript ─▶ files in the Python package, where it is served.

python -m webbuild [build|check|test|types]        make web, make check, make test, make types
"""
