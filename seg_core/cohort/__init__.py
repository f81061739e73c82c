"""A cohort: many slides, one table, on one machine or a cluster."""
