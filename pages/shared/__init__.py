"""What the pages share: frame, state, resources, tiles and the viewer component."""
