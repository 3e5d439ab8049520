"""How the extension talks to a server: protobuf and gRPC-Web, with the standard library alone."""
