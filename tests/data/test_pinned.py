"""Buffers on their way to a GPU are not written to before it has read them, and nobody waits longer than that."""

from collections.abc import Callable

from cnn_core.data.feed.pinned import BUFFERS, Ring
from cnn_core.data.feed.pixels import DEVICE_FRACTION, fits


class LateGpu:
    """Work is done in order, and only when somebody waits for it: the slowest GPU there can be."""

    def __init__(self) -> None:
        self.queue: list[Callable[[], object]] = []
        self.done = 0

    def launch(self, work: Callable[[], object]) -> None:
        self.queue.append(work)

    def event(self) -> "LateEvent":
        return LateEvent(self)


class LateEvent:
    def __init__(self, gpu: LateGpu):
        self.gpu, self.at = gpu, -1

    def record(self) -> None:
        self.at = len(self.gpu.queue)

    def synchronize(self) -> None:
        assert self.at >= 0, "waited for before it was recorded"
        while self.gpu.done < self.at:
            self.gpu.queue[self.gpu.done]()
            self.gpu.done += 1


def test_every_batch_arrives_as_it_was_filled_however_late_it_is_read() -> None:
    gpu, read = LateGpu(), list[int]()
    ring = Ring([[0] for _ in range(BUFFERS)], gpu.event)
    for number in range(20):
        buffer = ring.next()
        buffer[0] = number
        gpu.launch(lambda buffer=buffer: read.append(buffer[0]))  # the copy
        gpu.launch(lambda: None)  # the step
        assert len(gpu.queue) - gpu.done <= 2 * BUFFERS  # whoever launches gets no further ahead
    last = gpu.event()
    last.record()
    last.synchronize()
    assert read == list(range(20))


def test_nothing_is_waited_for_while_there_are_free_buffers() -> None:
    gpu = LateGpu()
    ring = Ring([[0] for _ in range(BUFFERS)], gpu.event)
    for number in range(BUFFERS):
        ring.next()[0] = number
        gpu.launch(lambda: None)
    assert gpu.done == 0
    ring.next()
    assert gpu.done == 1  # only the batch that had this buffer


def test_all_splits_together_keep_to_their_share_of_a_gpu() -> None:
    memory, resident = 1000, 0
    for wanted in (400, 100, 1, 300):
        if fits(wanted, resident, memory - resident):
            resident += wanted
    assert resident == 500 == DEVICE_FRACTION * memory
    assert not fits(501, 0, 1000)
    assert fits(500, 0, 1000)
