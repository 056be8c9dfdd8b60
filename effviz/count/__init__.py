"""What a network costs: parameters, multiply-adds, memory, and the words and colors of layer kinds."""
