"""The forecast: training rows, one file per model, conformal calibration, scoring rules, the walk-forward benchmark."""
