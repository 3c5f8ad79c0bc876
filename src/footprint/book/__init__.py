"""Order books as compiled kernels over preallocated arrays."""
