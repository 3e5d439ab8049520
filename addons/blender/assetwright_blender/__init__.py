"""Assetwright in Blender."""
