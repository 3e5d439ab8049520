"""The one HTTP port. Today: inputs for the gateway, its callbacks, and health."""

from server.web.app import web_app

__all__ = ["web_app"]
