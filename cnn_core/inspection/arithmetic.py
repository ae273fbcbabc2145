from typing import Any


def arithmetic(network: Any, image: Any, address: str, unit: int) -> dict[str, Any]:
    return {"address": address, "unit": unit}
