"""Problems, patterns, scoring and statistics as plain data and pure functions."""
