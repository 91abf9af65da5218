"""What a run cost: instructions, cycles, stack, step by step."""
