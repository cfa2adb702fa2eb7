"""The verbs: what the pipeline, the command line and later the board all call."""
