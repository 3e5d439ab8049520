"""How callers reach the server over gRPC. Translates, and knows nothing of how jobs are done."""
