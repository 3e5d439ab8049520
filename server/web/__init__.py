"""The one HTTP port: gRPC-Web, inputs for the gateway, its callbacks, and health."""

from server.web.app import web_app
from server.web.bridge import Bridge
from server.web.origins import Origins

__all__ = ["Bridge", "Origins", "web_app"]
