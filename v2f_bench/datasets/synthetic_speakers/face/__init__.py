"""Faces: one person's `appearance` in a `scene`, in the picture by `framing`; `render` draws it, feature by feature."""
