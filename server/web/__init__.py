"""The one HTTP port: gRPC-Web, inputs for the gateway, its callbacks, and health."""

from server.web.app import web_app
from server.web.assets import AssetFiles
from server.web.bridge import Bridge
from server.web.callers import caller_routes
from server.web.origins import Origins
from server.web.partials import Partials
from server.web.plain import Plain
from server.web.uploads import Uploads

__all__ = [
    "AssetFiles",
    "Bridge",
    "Origins",
    "Partials",
    "Plain",
    "Uploads",
    "caller_routes",
    "web_app",
]
