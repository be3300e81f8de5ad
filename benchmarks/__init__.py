"""Benchmarks: the hub beside PostGraphile 5, a hand-written endpoint and static bytes, in one run on one machine.

`make bench` runs them (`python -m benchmarks.run`) and writes RESULTS.md; `make bench-smoke` is the short form that
only asks whether everything runs and answers rightly. `python -m benchmarks.profile_read` says where the time of a
read goes. Binding text: design/performance.md, "how to measure honestly".
"""
