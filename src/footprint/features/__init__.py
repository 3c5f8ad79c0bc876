"""Order-free numbers known at arrival, one family a file, one code path online and offline."""
