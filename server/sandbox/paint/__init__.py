"""Pictures from words: drawn objects, and changes to pictures that exist. No network, no server."""

from server.sandbox.paint.change import edit, fill, restore
from server.sandbox.paint.draw import draw
from server.sandbox.paint.encode import PictureFormat, encode
from server.sandbox.paint.picture import open_picture

__all__ = ["PictureFormat", "draw", "edit", "encode", "fill", "open_picture", "restore"]
