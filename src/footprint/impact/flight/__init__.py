"""An order that works: what is paid and what still decays, its expected path, the alarm, orders of several days."""
