"""Films that a method changes: read frame by frame, the face followed, what is drawn pasted back, written again."""
