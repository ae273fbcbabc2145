"""CNN Playground's core: data, networks, training and looking inside. Knows nothing of Streamlit."""

import os

# Before torch is loaded: threads that wait for each other sleep instead of spinning. Beside one busy process on two
# cores a small network trained at 10-32 steps a second instead of 2.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
