"""The SQL of the audit.

noting   acts, noted with what they do; what waits to be chained
chain    rows of the audit, its keys and its roots
orders   the rows of orders that batches cover
"""

from quantdesk.access.audit.store.noting import note

__all__ = ["note"]
