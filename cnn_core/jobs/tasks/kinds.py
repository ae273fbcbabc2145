"""Every kind of task: importing this module registers them, and loads no torch."""

from cnn_core.jobs.tasks import import_images, prepare_dataset, try_augmentations

__all__ = ["import_images", "prepare_dataset", "try_augmentations"]
