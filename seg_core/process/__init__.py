"""Work beside the asking thread: the worker process, pipelines of threads, what is logged."""
