"""Placeholder."""
def training_code(recipe):
    return ""
