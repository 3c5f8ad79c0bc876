"""The event log: records of bytes in one order that services write, follow and replay."""
