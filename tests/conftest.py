"""What holds for every test: generated cases are the same each time, on a slow machine too."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "desk", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("desk")
