"""Files written whole or not at all, locks between processes, what the disk says in words."""
