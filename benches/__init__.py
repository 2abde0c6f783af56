"""Benches: each promise of docs/numbers.md as a program, with the peer measured beside the desk.

orders      orders per second, delay and CPU per order, desk and peer in turn
rounds      start, warm, measure and stop each target, round after round
target      what can be measured: a name and how to run it
desk        the desk as a target        peer/      the documents' Node stack as a target
loadgen/    the load generator          cpu        CPU seconds of process groups
children    programs this bench starts and surely ends
figures     medians, ratios, tables
"""
