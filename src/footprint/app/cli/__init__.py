"""The command line: one file per command. Modules here import their work inside the command, so that help is fast."""
