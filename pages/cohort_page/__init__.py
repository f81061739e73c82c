"""The parts of the page of cohorts."""
