"""From files to checked events: readers, verdicts, trade signing, mids, metaorders, synthetic tapes."""
