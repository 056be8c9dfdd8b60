"""The computations behind the lessons. Each answers one question about efficient networks, exactly."""
