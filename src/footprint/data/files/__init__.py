"""Files as they lie: unpacked, in lines or typed columns, and the first value that is not allowed named."""
