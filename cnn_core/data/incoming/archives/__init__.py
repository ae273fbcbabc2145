"""Archives and folders of strangers: looked through, refused with a reason, or read."""
