"""What a person meets: the command line, the services behind it, reports. Everything else is imported inside them."""
