"""The Assetwright server. `server.app` wires it; imports below it point one way."""
