"""The parts of the Nuclei page: what is counted, then a module for each section."""
