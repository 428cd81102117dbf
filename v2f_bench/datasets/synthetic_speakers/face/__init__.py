"""Faces: who sits (`sitter`), in what `scene`, each feature painted on a `sheet`, then lit and drawn by `render`."""
