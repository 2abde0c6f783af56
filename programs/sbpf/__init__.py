"""Tool chain of the on-chain programs: C → BPF objects (zig) → one SBPF v3 ELF per program.

build     compile and link every program folder; `python -m sbpf` does it
elf       read what the compiler wrote
link      merge objects into the image the Solana VM loads, or refuse
opcodes   the instructions that mean the same to the compiler and to the VM
syscalls  the VM's functions, their numbers, and the C header made of them
"""
