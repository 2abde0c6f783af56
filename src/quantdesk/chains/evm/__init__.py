"""EVM chains: questions to a node; nothing is sent."""
