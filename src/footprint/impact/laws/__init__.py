"""Laws of impact estimated from many orders at once: exponent, prefactor, decay."""
