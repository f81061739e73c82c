"""How fast the engines are, against the way the original project went."""
