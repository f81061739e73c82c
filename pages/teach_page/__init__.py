"""What the Teach page is made of."""
