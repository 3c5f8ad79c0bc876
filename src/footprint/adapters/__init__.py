"""Bridges to other systems, one file each; their libraries are optional extras, imported on use."""
