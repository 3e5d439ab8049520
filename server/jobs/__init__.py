"""What a job is and what happens to it. Callers reach it through `server.jobs.port` alone."""
