"""Reading and writing poses."""

from ptfast.io._joint_sets import BOX_CENTER
from ptfast.io.files import FORMATS, read_poses, write_poses

__all__ = ["BOX_CENTER", "FORMATS", "read_poses", "write_poses"]
