"""CNN Playground's core: data, networks, training and looking inside. Knows nothing of Streamlit."""

import os

# Before torch is loaded: its threads wait for each other by spinning for about 10,000 rounds, then sleep. By default
# they spin on, and on two cores busy with other programs a step of the compact network took 180 ms and more. With this
# it takes about 105 ms beside one busy process; alone 26 ms instead of 25, and 37 if they slept at once.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Huge pages for tensors of 2 MB and more: 2 to 5% of a step.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
