"""What can be done to a document: one file an operation."""
