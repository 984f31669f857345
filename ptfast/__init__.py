"""ptfast: pose estimation and tracking of many people in video, fast."""

__version__ = "0.1.0"
