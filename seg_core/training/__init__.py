"""From labelled images to weights and their card."""
