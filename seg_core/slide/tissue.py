"""Where the slide holds tissue and where only glass."""
