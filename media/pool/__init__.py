"""Streams on worker processes: one `MediaWorker` a process, one control channel each."""
