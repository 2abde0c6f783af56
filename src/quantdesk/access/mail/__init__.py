"""Mail: letters wait in a table, are written when their turn comes, and leave by one port."""
