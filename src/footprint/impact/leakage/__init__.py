"""Who pays whom: adverse selection on a tape, and what an order gives away about itself."""
