"""From sources to the desk: collect readings, keep the latest, tell who asks how old they are."""
