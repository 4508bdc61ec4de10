"""What is wrong with an environment, read from the disk and never tried out."""
