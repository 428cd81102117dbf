"""What a method yields for a trial, on disk: its name, writing, reading, and of which protocol it is."""

from v2f_bench.artefacts.faces import FACES, FAILURES, Faces, face_file, read_faces, read_still, write_face
from v2f_bench.artefacts.films import film_file, is_film, write_film, write_film_file
from v2f_bench.artefacts.origin import ORIGIN, Origin, read_origin, write_origin

__all__ = [
    "FACES",
    "FAILURES",
    "ORIGIN",
    "Faces",
    "Origin",
    "face_file",
    "film_file",
    "is_film",
    "read_faces",
    "read_origin",
    "read_still",
    "write_face",
    "write_film",
    "write_film_file",
    "write_origin",
]
