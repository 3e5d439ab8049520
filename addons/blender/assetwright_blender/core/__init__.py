"""What the extension does, without Blender: jobs, forms, words."""
