"""Networks: layer kinds with their shape rules, presets, the summary table and the builder."""
