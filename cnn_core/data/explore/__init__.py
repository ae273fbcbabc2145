"""What there is to know of a data set: statistics, copies, tones, sizes of the originals, a map."""
