"""Users as admins handle them: added, given roles and plans, disabled; and who somebody is."""
