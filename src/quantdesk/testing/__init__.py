"""What tests of the desk, of adapters and of plugins need: clocks moved by hand, honest fakes."""
