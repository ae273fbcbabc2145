"""What cannot work in a network and what is unwise, all of it at once, each with repairs. Needs no torch."""

from cnn_core.models.doctor.examination import examine, repair_all
from cnn_core.models.doctor.finding import Finding
from cnn_core.models.doctor.passing import passing
from cnn_core.models.doctor.repair import Repair

__all__ = ["Finding", "Repair", "examine", "passing", "repair_all"]
