"""The load generator: `loadgen.c` places the orders, `drive.py` compiles and runs it."""
