"""The report: figures, pages and pictures, all functions of one `Evidence`."""
