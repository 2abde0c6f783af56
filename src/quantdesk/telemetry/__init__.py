"""What the desk says about itself: logs and metrics."""
