"""One reader a file format: what is in the files -> events in the vocabulary of `market.events`."""
