"""Files in: problems, patterns and benchmarks as people write them. Every refusal says file, row,
column, value and rule, and one fault refuses a file whole.
"""
