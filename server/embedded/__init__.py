"""PostgreSQL and Redis as child processes in a data folder, for one machine without set-up."""
