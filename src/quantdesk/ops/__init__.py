"""Operations: the data folder, health, the processes a desk is made of, drills."""
